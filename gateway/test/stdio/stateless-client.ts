/** Requests of the stateless era (2026-07-28), right unless a test says otherwise. */
import { RawClient, type RawAnswer } from './raw-client.ts';

export const VERSION = '2026-07-28';

export interface StatelessMore {
  readonly id?: number | string;
  /** added to `_meta`; undefined takes away */
  readonly meta?: Record<string, unknown>;
  /** added to the headers; undefined takes away */
  readonly headers?: Record<string, string | undefined>;
  readonly signal?: AbortSignal;
}

export class StatelessClient {
  readonly #raw: RawClient;
  #nextId = 1;

  constructor(url: string, user = 'ana') {
    this.#raw = new RawClient(url, { 'x-user': user });
  }

  async ask(method: string, params: Record<string, unknown> = {}, more: StatelessMore = {}): Promise<RawAnswer> {
    const { body, headers } = this.#request(method, params, more);
    return this.#raw.post(body, headers, more.signal);
  }

  call(name: string, args: object = {}, more: StatelessMore = {}): Promise<RawAnswer> {
    return this.ask('tools/call', { name, arguments: args }, more);
  }

  /** The answer with its body unread. */
  open(method: string, params: Record<string, unknown> = {}, more: StatelessMore = {}): Promise<Response> {
    const { body, headers } = this.#request(method, params, more);
    return this.#raw.open('POST', headers, JSON.stringify(body), more.signal);
  }

  post(body: object, headers: Record<string, string> = {}): Promise<RawAnswer> {
    return this.#raw.post(body, headers);
  }

  method(method: string, headers: Record<string, string>): Promise<Response> {
    return this.#raw.open(method, headers);
  }

  #request(method: string, params: Record<string, unknown>, more: StatelessMore) {
    this.#nextId += 1;
    const name = params.name ?? params.uri;
    const headers: Record<string, string | undefined> = {
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...more.headers,
    };
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': VERSION,
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
      ...more.meta,
    };
    return {
      body: { jsonrpc: '2.0', id: more.id ?? this.#nextId, method, params: { ...params, _meta } },
      headers: Object.fromEntries(Object.entries(headers).flatMap(([key, value]) => (value ? [[key, value]] : []))),
    };
  }
}
