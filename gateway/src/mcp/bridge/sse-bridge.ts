/**
 * Serves one server of the older HTTP+SSE transport (`type: sse`): a connection to it for each MCP session, whichever
 * transport its client speaks. It can be spoken to in sessions only, so requests of the stateless revision are refused in
 * the way that makes clients of both eras send `initialize`.
 */
import { Pool } from 'undici';
import type { Logger } from '../../logger.ts';
import { SessionBridge, SESSION_REVISIONS } from './session-bridge.ts';
import { SseChannel } from './sse-channel.ts';
import { createStdioCounters } from './stdio-counters.ts';
import type { Failure } from './stdio-failure.ts';
import { DEFAULT_STDIO_LIMITS, type StdioLimits } from './stdio-limits.ts';
import { refuseStateless } from './stdio-refusal.ts';
import { checkEnvelope, unsupportedVersion } from '../stateless-request.ts';
import type { StatelessSide } from './stateless-side.ts';
import type { InjectMeta } from '../trace-splice.ts';
import { upstreamAddress } from '../relay/upstream-address.ts';

export interface SseBridgeOptions {
  /** key in `mcpServers` */
  readonly server: string;
  /** where the event stream is opened */
  readonly url: URL;
  /** sent with each request to the server */
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits?: Partial<StdioLimits>;
  /** default 30 s */
  readonly connectTimeoutMs?: number;
  /** whether requests carry the trace context to the server, see trace-splice.ts; default `always` */
  readonly injectMeta?: InjectMeta;
  readonly logger: Logger;
}

const OLDER_TRANSPORT =
  'The MCP server speaks the older HTTP+SSE transport and works with sessions: send "initialize". ';

export class SseBridge extends SessionBridge {
  readonly #pool: Pool;

  constructor(options: SseBridgeOptions) {
    const { server, url, logger } = options;
    const limits = { ...DEFAULT_STDIO_LIMITS, ...options.limits };
    const pool = new Pool(url.origin, {
      allowH2: false,
      pipelining: 1,
      connections: null,
      connect: { timeout: options.connectTimeoutMs ?? 30_000 },
      keepAliveTimeout: 4_000,
    });
    const channelOptions = {
      server,
      url,
      pool,
      headers: Object.entries(options.headers ?? {}).flat(),
      maxMessageBytes: limits.maxMessageBytes,
      startTimeoutMs: limits.startTimeoutMs,
      postTimeoutMs: limits.requestTimeoutMs,
    };
    super({
      kind: 'sse',
      server,
      at: { upstreamTransport: 'sse', upstreamAddress: upstreamAddress(url) },
      open: (listener) => new SseChannel(channelOptions, listener),
      stateless: sessionsOnly,
      limits,
      counters: createStdioCounters(),
      injectMeta: options.injectMeta ?? 'always',
      logger,
      notStarted: `The MCP server "${server}" cannot be reached.`,
      silent: silentServer(server, limits.startTimeoutMs),
    });
    this.#pool = pool;
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#pool.destroy();
  }
}

const sessionsOnly: StatelessSide = {
  pids: [],
  post: (exchange) => {
    const version = exchange.messages[0]?.envelopeVersion ?? '';
    return refuseStateless(
      exchange,
      checkEnvelope(exchange) ?? unsupportedVersion(version, SESSION_REVISIONS, OLDER_TRANSPORT)
    );
  },
  endIfIdle: () => undefined,
  end: () => Promise.resolve(),
  killNow: () => undefined,
};

function silentServer(server: string, timeoutMs: number): Failure {
  const message = `The MCP server "${server}" did not answer "initialize" within ${timeoutMs} ms.`;
  return { code: 'upstream_timeout', outcome: 'timeout', message };
}
