/**
 * The upstream behind a Streamable HTTP URL: a byte-transparent streaming reverse proxy on an undici pool. Bodies go on
 * as they came, but for the trace context in `params._meta`; sessions, event ids, resume and both protocol eras pass
 * untouched. It retries nothing, follows no redirect and forwards no credential of the client.
 */
import { Pool, type Dispatcher } from 'undici';
import type { Logger } from '../../logger.ts';
import { isEndless } from '../endless.ts';
import { namesEndpoint } from './endpoint-probe.ts';
import type { Exchange, RecordedAt, Upstream } from '../exchange.ts';
import { ExchangeRecords } from './exchange-records.ts';
import { headersForUpstream, requestHeaderRules } from './forwarded-headers.ts';
import type { RequestHeaderRules } from './forwarded-headers.ts';
import { HttpAnswer } from './http-answer.ts';
import { OpenCalls } from './open-calls.ts';
import type { RecordsContext } from './records-context.ts';
import { RefusedInitialize, type OtherTransport } from './refused-initialize.ts';
import { ServerRequests } from './server-requests.ts';
import type { SessionDirectory } from '../sessions.ts';
import { spliceTraceContext } from '../trace-splice.ts';
import type { InjectMeta } from '../trace-splice.ts';
import { upstreamAddress } from './upstream-address.ts';

export interface HttpUpstreamOptions {
  readonly url: URL;
  /** sent with each request, in place of the client's of the same name */
  readonly headers?: Readonly<Record<string, string>>;
  /** shared with the endpoint, which checks whose a session is */
  readonly sessions: SessionDirectory;
  readonly logger: Logger;
  /** default 30 s */
  readonly connectTimeoutMs?: number;
  /** how long the upstream may stay silent before and within an answer to a POST or DELETE; default 5 min */
  readonly requestTimeoutMs?: number;
  /** whether `params._meta.traceparent` is put into requests; default `always` (within sessions) */
  readonly injectMeta?: InjectMeta;
  /** how long a call whose stream broke may be answered on a resumed one; default 60 s */
  readonly resumeGraceMs?: number;
  /** after a cancellation the answer may still come for so long; default 5 s */
  readonly cancelGraceMs?: number;
  /** how long a client may take to answer a server request; default 10 min */
  readonly serverRequestExpiryMs?: number;
  /** bytes kept of a notification or server request on a stream; default 256 KiB */
  readonly eventCaptureBytes?: number;
  /** connections to the upstream at once; default: no limit, since each stream holds one */
  readonly maxConnections?: number;
}

/** A server of the older transport says at once where its endpoint is. */
const ENDPOINT_TIMEOUT_MS = 5_000;

export class HttpRelay implements Upstream {
  readonly kind = 'http';
  readonly #pool: Pool;
  readonly #path: string;
  readonly #rules: RequestHeaderRules;
  readonly #requestTimeoutMs: number;
  readonly #injectMeta: InjectMeta;
  readonly #eventCaptureBytes: number;
  readonly #context: RecordsContext;
  readonly #logger: Logger;

  constructor(options: HttpUpstreamOptions) {
    const { url } = options;
    this.#path = url.pathname + url.search;
    this.#rules = requestHeaderRules(options.headers ?? {});
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 300_000;
    this.#injectMeta = options.injectMeta ?? 'always';
    this.#eventCaptureBytes = options.eventCaptureBytes ?? 262_144;
    this.#logger = options.logger;
    this.#pool = new Pool(url.origin, {
      allowH2: false,
      pipelining: 1,
      connections: options.maxConnections ?? null,
      connect: { timeout: options.connectTimeoutMs ?? 30_000 },
      // below what servers grant idle connections, so that a request seldom meets one that is being closed
      keepAliveTimeout: 4_000,
    });
    this.#context = {
      at: { upstreamTransport: 'http', upstreamAddress: upstreamAddress(url) } satisfies RecordedAt,
      openCalls: new OpenCalls(options.cancelGraceMs === undefined ? {} : { cancelGraceMs: options.cancelGraceMs }),
      serverRequests: new ServerRequests(
        options.serverRequestExpiryMs === undefined ? {} : { expiryMs: options.serverRequestExpiryMs }
      ),
      sessions: options.sessions,
      resumeGraceMs: options.resumeGraceMs ?? 60_000,
    };
  }

  /**
   * @param transport asked when the server refuses; it was not known to speak this one
   * @param older answers instead if it does not
   */
  handle(exchange: Exchange, transport?: OtherTransport, older?: (exchange: Exchange) => Promise<void>): Promise<void> {
    let answer: HttpAnswer | undefined = undefined as HttpAnswer | undefined;
    const records = new ExchangeRecords(exchange, this.#context, () => answer?.auditLost());
    if (exchange.res.destroyed) {
      records.clientGone();
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      answer = new HttpAnswer(exchange, records, {
        eventCaptureBytes: this.#eventCaptureBytes,
        onFailure: (code) => this.#logger.warn('upstream_failed', { server: exchange.server, code }),
        onDone: resolve,
      });
      if (transport === undefined || older === undefined) {
        this.#send(exchange, records, answer);
        return;
      }
      const handOver = (): void => {
        records.handOver('sse');
        older(exchange).then(resolve, reject);
      };
      this.#send(exchange, records, new RefusedInitialize(answer, transport, handOver));
    });
  }

  /** Whether its URL is one of the older HTTP+SSE transport. */
  namesEndpoint(): Promise<boolean> {
    const { configured } = this.#rules;
    return namesEndpoint({ pool: this.#pool, path: this.#path, headers: configured, timeoutMs: ENDPOINT_TIMEOUT_MS });
  }

  async close(): Promise<void> {
    const end = { outcome: 'cancelled', errorType: 'shutting_down' } as const;
    await this.#pool.destroy();
    await Promise.all([this.#context.openCalls.endAll(end), this.#context.serverRequests.endAll(end)]);
  }

  #send(exchange: Exchange, records: ExchangeRecords, answer: Dispatcher.DispatchHandler): void {
    const isPost = exchange.httpMethod === 'POST';
    const endless = isEndless(exchange);
    const silenceMs = endless ? 0 : this.#requestTimeoutMs;
    const inSession = exchange.sessionId !== undefined;
    const body = isPost ? spliceTraceContext(exchange.body, records.traced, this.#injectMeta, inSession) : null;
    records.sent();
    this.#pool.dispatch(
      {
        path: this.#path,
        method: exchange.httpMethod,
        headers: headersForUpstream(exchange.headers, this.#rules, records.trace),
        body,
        headersTimeout: silenceMs,
        bodyTimeout: silenceMs,
      },
      answer
    );
  }
}
