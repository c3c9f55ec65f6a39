/** An MCP client that shows the bytes: one fetch a message, answers as they came. */

export interface RawAnswer {
  readonly status: number;
  readonly type: string;
  readonly sessionId: string | null;
  readonly text: string;
  /** the messages of a JSON or event stream answer */
  readonly messages: readonly RpcMessage[];
}

export interface RpcMessage {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: { readonly content?: readonly { readonly text?: string }[] } & Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

export class RawClient {
  readonly url: string;
  readonly headers: Record<string, string>;
  sessionId: string | undefined;
  #nextId = 100;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.url = url;
    this.headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers };
  }

  async initialize(protocolVersion = '2025-11-25'): Promise<RawAnswer> {
    const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
    const answer = await this.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    this.sessionId = answer.sessionId ?? undefined;
    if (answer.status === 200) await this.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return answer;
  }

  call(
    name: string,
    args: object = {},
    more: { id?: unknown; meta?: object; signal?: AbortSignal } = {}
  ): Promise<RawAnswer> {
    const id = more.id ?? (this.#nextId += 1);
    const params = { name, arguments: args, ...(more.meta === undefined ? {} : { _meta: more.meta }) };
    return this.post({ jsonrpc: '2.0', id, method: 'tools/call', params }, {}, more.signal);
  }

  async post(body: object | string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<RawAnswer> {
    const response = await this.open('POST', headers, typeof body === 'string' ? body : JSON.stringify(body), signal);
    return readAnswer(response);
  }

  /** The answer with its body unread. */
  open(method: string, headers: Record<string, string> = {}, body?: string, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url, {
      method,
      headers: {
        ...this.headers,
        ...(this.sessionId === undefined ? {} : { 'mcp-session-id': this.sessionId }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

async function readAnswer(response: Response): Promise<RawAnswer> {
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    sessionId: response.headers.get('mcp-session-id'),
    text,
    messages: type === 'text/event-stream' ? eventsOf(text).flatMap(({ data }) => parse(data)) : parse(text),
  };
}

export interface RawEvent {
  readonly id: string;
  readonly data: string;
}

export function eventsOf(stream: string): RawEvent[] {
  return stream
    .split('\n\n')
    .map((event) => ({ id: /^id: (.*)$/m.exec(event)?.[1] ?? '', data: /^data: (.*)$/m.exec(event)?.[1] ?? '' }))
    .filter(({ id, data }) => id !== '' || data !== '');
}

function parse(json: string): RpcMessage[] {
  if (json === '') return [];
  const value = JSON.parse(json) as RpcMessage | RpcMessage[];
  return Array.isArray(value) ? value : [value];
}

/** Reads events of an open stream until `enough` says so. */
export async function readEvents(response: Response, enough: (events: RawEvent[]) => boolean): Promise<RawEvent[]> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return [];
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    text += value ?? '';
    const events = eventsOf(text.slice(0, text.lastIndexOf('\n\n') + 2));
    if (done || enough(events)) {
      await reader.cancel();
      return events;
    }
  }
}

export function textOf(answer: RawAnswer): string {
  return answer.messages.at(-1)?.result?.content?.[0]?.text ?? '';
}
