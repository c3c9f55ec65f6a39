/**
 * What a client gets on an event stream that is over before its calls were answered, where it cannot resume the stream:
 * a JSON-RPC error for each, so that nobody waits for what cannot come. Makes bytes; who is stranded is known elsewhere.
 */
import { wireError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { rpcErrorText } from '../rpc-error.ts';
import type { SseScanner } from '../scan/sse-scanner.ts';
import { failureText } from './upstream-failure.ts';

/** @param ids of the calls, as sent; none: undefined */
export function strandedErrors(ids: readonly string[], code: ErrorCode, sse: SseScanner): Buffer | undefined {
  if (ids.length === 0) return undefined;
  const { rpcCode } = wireError(code);
  const events = ids.map((id) => `event: message\ndata: ${rpcErrorText(id, rpcCode, failureText(code))}\n\n`);
  return Buffer.from(voidedEvent(sse) + events.join(''));
}

/** Half an event cannot be taken back. Given a name of its own, it is nothing that a client listens to. */
function voidedEvent(sse: SseScanner): string {
  return `${sse.inLine ? '\n' : ''}${sse.open ? 'event: gatelens-cut-off\n\n' : ''}`;
}
