/**
 * A server of which only the URL is known, as people write it: Streamable HTTP, passed on by the relay, unless it turns
 * out to be one of the older HTTP+SSE transport, which is the bridge's. Found out as clients do (2025-11-25, Transports,
 * Backwards Compatibility): by a refused `initialize` and the `endpoint` event; remembered until the entry changes.
 * Servers of Streamable HTTP are asked nothing that their clients did not ask, unless they refuse an `initialize`.
 */
import type { Exchange, LegacyRole, Upstream } from '../exchange.ts';
import type { HttpRelay } from '../relay/http-relay.ts';
import type { OtherTransport } from '../relay/refused-initialize.ts';
import type { SseBridge } from './sse-bridge.ts';

export interface UrlUpstreamOptions {
  readonly relay: HttpRelay;
  /** made when the server turns out to be one for it */
  readonly createBridge: () => SseBridge;
  /** told once */
  readonly onOlder: () => void;
  /** how long a server that named no endpoint is not asked again; default 15 s */
  readonly askAgainMs?: number;
}

export class UrlUpstream implements Upstream {
  readonly #options: UrlUpstreamOptions;
  readonly #askAgainMs: number;
  readonly #transport: OtherTransport;
  /** for clients of Streamable HTTP */
  #kind: 'http' | 'sse' | undefined;
  #bridge: SseBridge | undefined;
  #asking: Promise<boolean> | undefined;

  constructor(options: UrlUpstreamOptions) {
    this.#options = options;
    this.#askAgainMs = options.askAgainMs ?? 15_000;
    this.#transport = {
      taken: () => (this.#kind ??= 'http'),
      isOlder: async () => {
        if (this.#kind === 'http' || !(await this.#namesEndpoint())) return false;
        this.#kind = 'sse';
        return true;
      },
    };
  }

  get kind(): 'http' | 'sse' {
    return this.#kind ?? 'http';
  }

  /** A server may speak both, each to the clients that know it. */
  async kindFor(legacy: LegacyRole | undefined): Promise<'http' | 'sse'> {
    if (legacy === undefined) return this.kind;
    return (await this.#namesEndpoint()) ? 'sse' : 'http';
  }

  handle(exchange: Exchange): Promise<void> {
    const { relay } = this.#options;
    const bridge = this.#bridge;
    if (bridge !== undefined && (exchange.legacy !== undefined || this.#kind === 'sse')) return bridge.handle(exchange);
    const isOpening = exchange.messages.length === 1 && exchange.messages[0]?.method === 'initialize';
    if (this.#kind !== undefined || !isOpening) return relay.handle(exchange);
    return relay.handle(exchange, this.#transport, (handed) => this.#older().handle(handed));
  }

  async close(): Promise<void> {
    await Promise.all([this.#options.relay.close(), this.#bridge?.close()]);
  }

  /** One question at a time, whoever asks; a yes is for good. */
  #namesEndpoint(): Promise<boolean> {
    if (this.#bridge !== undefined) return Promise.resolve(true);
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    const isOlder = await this.#options.relay.namesEndpoint();
    if (isOlder) {
      this.#older();
    } else {
      const again = setTimeout(() => (this.#asking = undefined), this.#askAgainMs);
      again.unref();
    }
    return isOlder;
  }

  #older(): SseBridge {
    if (this.#bridge === undefined) {
      this.#bridge = this.#options.createBridge();
      this.#options.onOlder();
    }
    return this.#bridge;
  }
}
