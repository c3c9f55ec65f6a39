/** What never reaches a child is refused here, and each refusal is recorded as an attempt before it is answered. */
import { wireError, type ErrorCode } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { CallEnd } from '../observer.ts';
import { rpcErrorText } from '../rpc-error.ts';
import { rpcErrorBody } from './stdio-rpc.ts';
import type { StatelessRefusal } from '../stateless-request.ts';

type Verdict = Pick<CallEnd, 'outcome' | 'deniedBy'>;

/** By the table of errors. @param verdict omitted: what the code stands for */
export async function refuse(exchange: Exchange, code: ErrorCode, message: string, verdict?: Verdict): Promise<void> {
  const { status, rpcCode } = wireError(code);
  const end: CallEnd = { ...(verdict ?? verdictOn(code)), errorType: code, rpcErrorCode: rpcCode, httpStatus: status };
  await exchange.refuse(code, message, recordAttempts(exchange, end));
}

/** With a status that the table of errors does not have. */
export async function refuseWith(
  exchange: Exchange,
  httpStatus: number,
  message: string,
  headers: Record<string, string> = {}
): Promise<void> {
  const recorded = recordAttempts(exchange, { outcome: 'rpc_error', errorType: 'invalid_request', httpStatus });
  const body = rpcErrorBody('null', wireError('method_not_allowed').rpcCode, message);
  await exchange.sendJson(httpStatus, body, recorded, headers);
}

/** With the code, the status and the data of the stateless revision. */
export async function refuseStateless(exchange: Exchange, refusal: StatelessRefusal): Promise<void> {
  const { code, httpStatus, message, data } = refusal;
  const end: CallEnd = { outcome: 'rpc_error', errorType: String(code), rpcErrorCode: code, httpStatus };
  const body = rpcErrorText(exchange.messages.length === 1 ? exchange.messages[0]?.id : undefined, code, message, data);
  await exchange.sendJson(httpStatus, body, recordAttempts(exchange, end));
}

function verdictOn(code: ErrorCode): Verdict {
  switch (code) {
    case 'rate_limited':
      return { outcome: 'denied', deniedBy: 'rate_limit' };
    case 'upstream_unreachable':
    case 'shutting_down':
      return { outcome: 'upstream_unreachable' };
    default:
      return { outcome: 'rpc_error' };
  }
}

async function recordAttempts(exchange: Exchange, end: CallEnd): Promise<void> {
  const messages = exchange.messages.length > 0 ? exchange.messages : [undefined];
  await Promise.all(
    messages.map((message) => {
      const observation = exchange.begin(message, { upstreamTransport: 'none' }, { kind: 'attempt' });
      return Promise.all([observation.intent(), observation.end(end)]);
    })
  );
}
