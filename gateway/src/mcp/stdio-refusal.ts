/** What never reaches a child is refused here, and each refusal is recorded as an attempt. */
import type { ErrorCode } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { rpcErrorBody } from './stdio-rpc.ts';

/** Refuses with a status that the table of errors does not have. */
export async function refuseWith(exchange: Exchange, status: number, message: string): Promise<void> {
  await exchange.sendJson(status, rpcErrorBody('null', -32000, message), recordAttempts(exchange, 'invalid_request'));
}

/** Refuses by the table of errors. */
export async function refuse(exchange: Exchange, code: ErrorCode, message: string): Promise<void> {
  await exchange.refuse(code, message, recordAttempts(exchange, code));
}

async function recordAttempts(exchange: Exchange, code: ErrorCode): Promise<void> {
  const unavailable = code === 'upstream_unreachable' || code === 'shutting_down';
  const outcome = unavailable ? 'upstream_unreachable' : code === 'rate_limited' ? 'denied' : 'rpc_error';
  const messages = exchange.httpMethod === 'POST' ? exchange.messages : [undefined];
  await Promise.all(
    messages.map(async (message) => {
      const observation = exchange.begin(message, { upstreamTransport: 'none' }, { kind: 'attempt' });
      const deniedBy = outcome === 'denied' ? ({ deniedBy: 'rate_limit' } as const) : {};
      await Promise.all([observation.intent(), observation.end({ outcome, errorType: code, ...deniedBy })]);
    })
  );
}
