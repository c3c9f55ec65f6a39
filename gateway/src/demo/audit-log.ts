/**
 * Reads the demo's own calls back from the audit API, as anybody with a token can, and waits until all of them have
 * arrived. Counts only what the demo's keys and clients did, so that other people's calls do not mix in.
 */
import * as z from 'zod';
import { GatelensError } from '../errors.ts';

const pageSchema = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      outcome: z.string().nullable(),
      keyName: z.string().nullable(),
      user: z.object({ email: z.string().optional() }).nullable(),
      client: z.object({ name: z.string().nullable(), version: z.string().nullable() }),
      server: z.string(),
      operation: z.string(),
      deniedBy: z.string().nullable(),
    })
  ),
  nextCursor: z.string().nullable(),
});
export type DemoCall = z.output<typeof pageSchema>['items'][number];

const usageSchema = z.object({ totals: z.object({ calls: z.number() }) });

export interface AuditLogReader {
  /** the demo's real calls since `fromMs`, once `requests` of them and whatever belongs to them are there */
  settledCalls(fromMs: number, requests: number): Promise<readonly DemoCall[]>;
  /** Waits until all requests of the history are there. @returns how many are in the end */
  settledHistory(history: HistoryRange, onCount: (count: number) => void): Promise<number>;
}

export interface HistoryRange {
  readonly fromMs: number;
  /** exclusive */
  readonly toMs: number;
  readonly requests: number;
}

export interface AuditLogOptions {
  /** base URL of the audit API */
  readonly apiUrl: string;
  readonly token: string;
  readonly pause?: (durationMs: number) => Promise<void>;
}

const POLL_MS = 300;
const SETTLED_POLLS = 3;
const PATIENCE_POLLS = 100;
const PAGE_ROWS = 1000;

/** Every method throws GatelensError `store_unavailable` when the audit API does not answer. */
export function createAuditLogReader(options: AuditLogOptions): AuditLogReader {
  const pause = options.pause ?? ((durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)));

  const get = async (path: string, query: Readonly<Record<string, string>>): Promise<unknown> => {
    const url = new URL(`/api/v1${path}?${new URLSearchParams(query).toString()}`, options.apiUrl);
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${options.token}` } }).catch(() => undefined);
    if (answer?.ok === true) return answer.json();
    const why = answer === undefined ? 'does not answer' : `answers ${answer.status}`;
    throw new GatelensError(
      'store_unavailable',
      `The calls were made, but the audit API at ${url.origin} ${why}, so they cannot be read back.`
    );
  };

  const calls = async (fromMs: number): Promise<DemoCall[]> => {
    const found: DemoCall[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = { from: new Date(fromMs).toISOString(), limit: String(PAGE_ROWS) };
      const { items, nextCursor } = pageSchema.parse(await get('/calls', cursor === '' ? page : { ...page, cursor }));
      found.push(...items.filter(isOfDemo));
      cursor = nextCursor;
    }
    return found;
  };

  return {
    async settledCalls(fromMs, requests) {
      let found = await calls(fromMs);
      let unchanged = 0;
      for (let poll = 0; poll < PATIENCE_POLLS && unchanged < SETTLED_POLLS; poll++) {
        await pause(POLL_MS);
        const now = await calls(fromMs);
        const isWhole = now.filter(({ kind }) => kind === 'request' || kind === 'attempt').length >= requests;
        unchanged = isWhole && now.length === found.length ? unchanged + 1 : 0;
        found = now;
      }
      return found;
    },
    async settledHistory({ fromMs, toMs, requests }, onCount) {
      const range = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
      let count = 0;
      for (let poll = 0; poll < PATIENCE_POLLS && count < requests; poll++) {
        if (poll > 0) await pause(POLL_MS);
        const usage = await get('/usage/summary', { ...range, demo: 'true', limit: '1' });
        count = usageSchema.parse(usage).totals.calls;
        onCount(count);
      }
      return count;
    },
  };
}

/** Nothing is known of a stranger: who is refused at the door in these seconds counts as the demo's. */
function isOfDemo({ keyName, deniedBy }: DemoCall): boolean {
  return keyName?.startsWith('demo-') === true || (keyName === null && deniedBy === 'authentication');
}
