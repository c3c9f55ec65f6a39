/**
 * A connection of the older HTTP+SSE transport (revision 2024-11-05) to an upstream server, as the channel of one session:
 * a GET whose event stream names the endpoint that messages are POSTed to. Posts in the order of `send`. Follows no
 * redirect and no endpoint of another origin, since the configured credentials go there; reconnects never, because the
 * server's session is gone with the stream.
 */
import type { Pool } from 'undici';
import { GatelensError } from '../../errors.ts';
import type { ChannelEnd, ChannelListener, SessionChannel } from './session-channel.ts';
import { eventText } from '../scan/sse-event-text.ts';
import type { Failure } from './stdio-failure.ts';
import { failureCode } from '../relay/upstream-failure.ts';

export interface SseChannelOptions {
  readonly server: string;
  readonly url: URL;
  /** to the origin of `url`; shared by all sessions */
  readonly pool: Pool;
  /** configured for this upstream server, name, value, name, value … */
  readonly headers: readonly string[];
  readonly maxMessageBytes: number;
  /** until the server has named its endpoint */
  readonly startTimeoutMs: number;
  /** until it has taken a message */
  readonly postTimeoutMs: number;
}

/** A server may answer a POST only when its call is over; what comes after must not wait for that. */
const ORDER_WAIT_MS = 1_000;
const LOST_SESSION: ReadonlySet<number> = new Set([404, 410]);

export class SseChannel implements SessionChannel {
  readonly opened: Promise<void>;
  readonly #options: SseChannelOptions;
  readonly #listener: ChannelListener;
  readonly #abort = new AbortController();
  #resolveOpened: () => void = () => undefined;
  #endpoint: string | undefined;
  #stream: { pause(): unknown; resume(): unknown } | undefined;
  #paused = false;
  #backlogBytes = 0;
  #posted: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #ended = false;

  constructor(options: SseChannelOptions, listener: ChannelListener) {
    this.#options = options;
    this.#listener = listener;
    this.opened = new Promise((resolve) => (this.#resolveOpened = resolve));
    // not now: the session does not know its channel yet, and a bad header is found at once
    void Promise.resolve().then(() => this.#read());
  }

  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  send(json: Uint8Array, onFailed?: (failure: Failure) => void): boolean {
    if (this.#ended || this.#stopping !== undefined) return false;
    this.#backlogBytes += json.length;
    const before = within(this.#posted, ORDER_WAIT_MS);
    const posted = (async () => {
      await Promise.all([this.opened, before]);
      const failure = await this.#post(json);
      this.#backlogBytes -= json.length;
      if (failure !== undefined && !this.#ended) onFailed?.(failure);
    })();
    this.#posted = Promise.all([before, posted]);
    return true;
  }

  pause(): void {
    this.#paused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stream?.resume();
  }

  /** What was sent goes out first: a cancellation says more than a lost connection. */
  stop(): Promise<void> {
    this.#stopping ??= within(this.#posted, ORDER_WAIT_MS).then(() => this.killNow());
    return this.#stopping;
  }

  killNow(): void {
    this.#end(undefined);
  }

  async #read(): Promise<void> {
    const late = setTimeout(() => this.#end(this.#failed('upstream_timeout')), this.#options.startTimeoutMs);
    void this.opened.then(() => clearTimeout(late));
    try {
      const { url, pool, headers, maxMessageBytes } = this.#options;
      const answer = await pool.request({
        path: url.pathname + url.search,
        method: 'GET',
        headers: ['accept', 'text/event-stream', 'cache-control', 'no-cache', ...headers],
        headersTimeout: this.#options.startTimeoutMs,
        bodyTimeout: 0,
        signal: this.#abort.signal,
      });
      const type = String(answer.headers['content-type'] ?? '');
      if (answer.statusCode !== 200 || !/^text\/event-stream\b/i.test(type)) {
        answer.body.on('error', () => undefined).destroy();
        this.#end(this.#notAStream(answer.statusCode));
        return;
      }
      const take = eventText(maxMessageBytes, (name, text) => this.#onEvent(name, text));
      this.#stream = answer.body;
      answer.body.on('data', (chunk: Buffer) => this.#take(take, chunk));
      answer.body.once('end', () => this.#end(this.#failed('upstream_reset')));
      answer.body.once('error', (error) => this.#end(this.#failed(failureCode(error))));
      if (this.#paused) answer.body.pause();
    } catch (error) {
      this.#end(this.#failed(failureCode(error)));
    }
  }

  #take(take: (chunk: Buffer) => void, chunk: Buffer): void {
    if (this.#ended) return;
    try {
      take(chunk);
    } catch (error) {
      const text = error instanceof GatelensError ? error.message : 'A message of the MCP server could not be handled.';
      this.#end(failureOf('upstream_protocol', text));
    }
  }

  #onEvent(name: string | undefined, text: Buffer): void {
    if (this.#ended) return;
    if (name === 'endpoint') this.#onEndpoint(text.toString());
    else if (name === undefined || name === '' || name === 'message') this.#listener.onText(text);
  }

  #onEndpoint(text: string): void {
    const { server, url } = this.#options;
    // A second one would move the session, which the transport does not know.
    if (this.#endpoint !== undefined) return;
    const endpoint = URL.parse(text.trim(), url.href);
    if (endpoint?.origin !== url.origin) {
      const message = `The MCP server "${server}" named an endpoint on another origin, which is refused: its credentials would go there. Correct its address in mcpServers.${server}.url, or the public address that it is configured with.`;
      this.#end(failureOf('upstream_protocol', message));
      return;
    }
    this.#endpoint = endpoint.pathname + endpoint.search;
    this.#resolveOpened();
  }

  /** @returns undefined when the server took it */
  async #post(json: Uint8Array): Promise<Failure | undefined> {
    const { server, pool, headers, postTimeoutMs } = this.#options;
    if (this.#endpoint === undefined || this.#ended) return this.#failed('upstream_reset');
    try {
      const answer = await pool.request({
        path: this.#endpoint,
        method: 'POST',
        headers: ['content-type', 'application/json', ...headers],
        body: json,
        headersTimeout: postTimeoutMs,
        bodyTimeout: postTimeoutMs,
        signal: this.#abort.signal,
      });
      await answer.body.dump();
      const status = answer.statusCode;
      if (status < 300) return undefined;
      const failure = failureOf(
        refusalCode(status),
        `The MCP server "${server}" did not take the message: it answered with HTTP status ${status}.`
      );
      if (LOST_SESSION.has(status)) this.#end(failure);
      return failure;
    } catch (error) {
      return this.#failed(failureCode(error));
    }
  }

  #failed(code: Failure['code']): Failure {
    const { server, startTimeoutMs } = this.#options;
    if (this.#endpoint === undefined) {
      const why = code === 'upstream_timeout' ? `within ${startTimeoutMs} ms ` : '';
      const text = `The MCP server "${server}" opened no event stream ${why}(${code}). Check that it runs, and "url" and "headers" of mcpServers.${server} in the gateway's configuration.`;
      return failureOf(code, text);
    }
    const text = `The connection to the MCP server "${server}" was lost (${code}). Start a new session.`;
    return failureOf(code, text);
  }

  #notAStream(status: number): Failure {
    const { server } = this.#options;
    const text = `The MCP server "${server}" opened no event stream: it answered with HTTP status ${status}. If it speaks Streamable HTTP, leave "type: sse" away in mcpServers.${server}; else check its "url" and "headers".`;
    return failureOf(refusalCode(status), text);
  }

  /** @param failure undefined: the gateway wanted it so */
  #end(failure: Failure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#abort.abort();
    const stopped = failureOf('client_gone', 'The session has ended.', 'cancelled');
    const end: ChannelEnd = {
      event: 'sse.connection_ended',
      fields: { code: failure?.code ?? '' },
      failure: () => failure ?? stopped,
    };
    this.#listener.onEnd(end);
    this.#resolveOpened();
  }
}

/** @param status of an answer that is none of the transport's */
function refusalCode(status: number): Failure['code'] {
  return status === 401 ? 'upstream_unauthorized' : 'upstream_protocol';
}

function failureOf(code: Failure['code'], message: string, outcome?: Failure['outcome']): Failure {
  return { code, message, outcome: outcome ?? (code === 'upstream_timeout' ? 'timeout' : 'upstream_unreachable') };
}

/** Resolves when the promise settles or the time is over. */
async function within(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([promise.catch(() => undefined), timeout]);
  clearTimeout(timer);
}
