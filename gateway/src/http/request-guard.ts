/**
 * What a request's head must satisfy before anybody looks at who sent it: size and number of headers, no header twice
 * that two readers could read differently, and a `Host` and `Origin` that are ours. The gateway rewrites `Host` for the
 * upstream, so no upstream can see a forged one (DNS rebinding): the check belongs here.
 */
import type { IncomingMessage } from 'node:http';
import type { HeaderList } from '../mcp/observer.ts';

export interface RequestGuardOptions {
  /** host names besides loopback ones, without port; `*` accepts any */
  readonly allowedHosts?: readonly string[];
  /** origins of web pages besides loopback ones, e.g. `https://inspector.example.com` */
  readonly allowedOrigins?: readonly string[];
  /** default 16 KiB */
  readonly headerBytes?: number;
  /** default 100 */
  readonly headerCount?: number;
}

export type HeadRefusal = 'headers_too_large' | 'host_denied' | 'origin_denied' | 'header_repeated';

export interface CheckedHead {
  readonly headers: HeaderList;
  readonly refusal?: HeadRefusal;
}

/** Read by the gateway and by the upstream: sent twice, each could take another one. */
const ONCE: ReadonlySet<string> = new Set([
  'host',
  'content-type',
  'content-encoding',
  'content-length',
  'authorization',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'last-event-id',
]);

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** @returns the host name in lower case without the port, undefined if it is none */
function hostnameOf(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host);
  return match?.[1]?.toLowerCase();
}

export class RequestGuard {
  readonly #anyHost: boolean;
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #headerBytes: number;
  readonly #headerCount: number;
  /** `Host` values that were found good: nearly all requests carry the same few */
  readonly #goodHosts = new Set<string>();

  constructor(options: RequestGuardOptions = {}) {
    const hosts = options.allowedHosts ?? [];
    this.#anyHost = hosts.includes('*');
    this.#hosts = new Set(hosts.map((host) => hostnameOf(host) ?? host.toLowerCase()));
    this.#origins = new Set((options.allowedOrigins ?? []).map((origin) => origin.toLowerCase().replace(/\/+$/, '')));
    this.#headerBytes = options.headerBytes ?? 16_384;
    this.#headerCount = options.headerCount ?? 100;
  }

  check(req: IncomingMessage): CheckedHead {
    const raw = req.rawHeaders;
    const headers: (readonly [string, string])[] = [];
    let bytes = 0;
    let repeated = false;
    let seen = '';
    let name: string | undefined;
    for (const value of raw) {
      if (name === undefined) {
        name = value;
        continue;
      }
      headers.push([name, value]);
      bytes += name.length + value.length + 4;
      const lower = name.toLowerCase();
      name = undefined;
      if (!ONCE.has(lower)) continue;
      const mark = `\n${lower}\n`;
      if (seen.includes(mark)) repeated = true;
      seen += mark;
    }
    if (headers.length > this.#headerCount || bytes > this.#headerBytes)
      return { headers, refusal: 'headers_too_large' };
    if (!this.#hostIsOurs(req.headers.host)) return { headers, refusal: 'host_denied' };
    const origin = req.headers.origin;
    if (origin !== undefined && !this.#originIsOurs(origin)) return { headers, refusal: 'origin_denied' };
    return repeated ? { headers, refusal: 'header_repeated' } : { headers };
  }

  #hostIsOurs(host: string | undefined): boolean {
    if (this.#anyHost) return true;
    if (host === undefined) return false;
    if (this.#goodHosts.has(host)) return true;
    const hostname = hostnameOf(host);
    if (hostname === undefined || !(isLoopback(hostname) || this.#hosts.has(hostname))) return false;
    if (this.#goodHosts.size < 100) this.#goodHosts.add(host);
    return true;
  }

  #originIsOurs(origin: string): boolean {
    const lower = origin.toLowerCase();
    if (this.#origins.has(lower)) return true;
    const match = /^https?:\/\/(.+)$/.exec(lower);
    const hostname = match?.[1] === undefined ? undefined : hostnameOf(match[1]);
    return hostname !== undefined && isLoopback(hostname);
  }
}
