/**
 * The records of one exchange with the gateway's own server: one for each message, ended by its answer. The bytes of
 * answers are counted and not kept.
 */
import { wireError, type ErrorCode } from '../errors.ts';
import type { Exchange } from '../mcp/exchange.ts';
import { JsonScanner } from '../mcp/scan/json-scanner.ts';
import { idKey } from '../mcp/scan/message-builder.ts';
import type { ReceivedMessage, ScannedMessage } from '../mcp/message.ts';
import type { CallEnd, CallObservation, HeaderList } from '../mcp/observer.ts';
import { listedIn, verdictOf } from '../mcp/outcome.ts';

const AT = { upstreamTransport: 'none' } as const;
const JSON_HEADERS: HeaderList = [['content-type', 'application/json']];

interface OwnCall {
  readonly message: ReceivedMessage | undefined;
  readonly observation: CallObservation;
}

export class OwnCallRecords {
  readonly #calls: readonly OwnCall[];

  constructor(exchange: Exchange) {
    const attempt = exchange.httpMethod === 'POST' ? {} : { kind: 'attempt' as const };
    const messages = exchange.messages.length === 0 ? [undefined] : exchange.messages;
    this.#calls = messages.map((message) => ({ message, observation: exchange.begin(message, AT, attempt) }));
  }

  /** What the gateway does for them waits for this, so it is not put off. */
  intents(): Promise<unknown> {
    for (const { observation } of this.#calls) observation.hurry();
    return Promise.all(this.#calls.map(({ observation }) => observation.intent()));
  }

  /** @param body the whole answer */
  answered(httpStatus: number, body: Buffer | undefined): Promise<unknown> {
    const responses = body === undefined ? [] : responsesIn(body);
    return this.#endAll(({ message }) => {
      const key = message?.kind === 'request' && message.id !== undefined ? idKey(message.id) : undefined;
      const own = responses.find(({ id }) => id !== undefined && idKey(id) === key) ?? anonymous(responses);
      const base: CallEnd = { outcome: 'success', httpStatus };
      if (key === undefined) return httpStatus < 300 ? base : { ...base, outcome: 'rpc_error', errorType: '_OTHER' };
      if (own === undefined) return { ...base, outcome: 'rpc_error', errorType: 'upstream_protocol' };
      const listed = listedIn(own);
      const bytes = own.range.end - own.range.start;
      return {
        ...base,
        ...verdictOf(own),
        ...(listed === undefined ? {} : { listed }),
        responseHeaders: JSON_HEADERS,
        response: { chunks: [], bytes, format: 'json' },
      };
    });
  }

  refused(code: ErrorCode): Promise<unknown> {
    const { status, rpcCode } = wireError(code);
    return this.#endAll(() => ({
      outcome: 'rpc_error',
      errorType: code,
      rpcErrorCode: rpcCode,
      httpStatus: status,
    }));
  }

  failed(): Promise<unknown> {
    return this.refused('internal');
  }

  /** An intent could not be kept. @returns what rejects, so that the client gets nothing */
  unrecorded(): Promise<never> {
    const { status } = wireError('audit_unavailable');
    const ends = this.#endAll(() => ({
      outcome: 'denied',
      errorType: 'audit_unavailable',
      deniedBy: 'audit',
      httpStatus: status,
    }));
    ends.catch(() => undefined);
    return Promise.reject(new Error('not recorded'));
  }

  async clientGone(): Promise<void> {
    // nobody waits for it
    await this.#endAll(() => ({ outcome: 'cancelled', errorType: 'client_gone' })).catch(() => undefined);
  }

  #endAll(endOf: (call: OwnCall) => CallEnd): Promise<unknown> {
    return Promise.all(this.#calls.map((call) => call.observation.end(endOf(call))));
  }
}

function responsesIn(body: Buffer): ScannedMessage[] {
  const scanner = new JsonScanner();
  scanner.feed(body);
  const scan = scanner.end();
  return scan.ok ? scan.body.messages.filter(({ kind }) => kind === 'response') : [];
}

/** An error that answers the body as such has no id. */
function anonymous(responses: readonly ScannedMessage[]): ScannedMessage | undefined {
  return responses.find(({ id, hasError }) => hasError && (id === undefined || id === 'null'));
}
