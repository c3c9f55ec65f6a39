/** A reader of the audit API with one token: lists to their end, one call, its payload, usage. */
import type { Call, CallPage, CallPayload, UsageSummary } from '../../src/audit-api/contract.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export class AuditLog {
  readonly #base: string;
  readonly #token: string | undefined;

  constructor(base: string, token?: string) {
    this.#base = base;
    this.#token = token;
  }

  async get(path: string): Promise<ApiAnswer> {
    const authorization = this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#base}${path}`, { headers: authorization });
    const text = isEndless(answer) ? await firstOf(answer, TAIL_MS) : await answer.text();
    return { status: answer.status, headers: answer.headers, text };
  }

  async json<T>(path: string): Promise<T> {
    const { status, text } = await this.get(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** All events of a search in payloads. */
  async search(text: string): Promise<ApiAnswer> {
    const authorization = this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#base}/api/v1/payload-search`, {
      method: 'POST',
      headers: { ...authorization, 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  /** All pages of the list. */
  async calls(query: Readonly<Record<string, string>> = {}, limit = 1000): Promise<Call[]> {
    const items: Call[] = [];
    let cursor: string | null = null;
    do {
      const params = new URLSearchParams({ ...query, limit: String(limit), ...(cursor === null ? {} : { cursor }) });
      const page: CallPage = await this.json(`/api/v1/calls?${params.toString()}`);
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }

  payload(id: string): Promise<CallPayload> {
    return this.json(`/api/v1/calls/${id}/payload`);
  }

  usage(query: Readonly<Record<string, string>> = {}): Promise<UsageSummary> {
    return this.json(`/api/v1/usage/summary?${new URLSearchParams(query).toString()}`);
  }
}

/** How long a live view is listened to. */
const TAIL_MS = 1500;

function isEndless(answer: Response): boolean {
  return answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** What an answer without an end says in the first so many milliseconds. */
async function firstOf(answer: Response, milliseconds: number): Promise<string> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return '';
  const timer = setTimeout(() => void reader.cancel(), milliseconds);
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  clearTimeout(timer);
  return text;
}
