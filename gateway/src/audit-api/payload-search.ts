/**
 * Looks for a text in the payloads of the calls that fit a filter, newest first: pages of calls, of each page as many
 * payloads at a time as memory allows, opened one by one. Before what was found in a call is told, its reading is on
 * disk. Ends at the first limit, when the reader leaves or when their rights change. Knows no HTTP.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { Position } from '../store/queries/audit-log.ts';
import { listCalls } from '../store/queries/audit-log.ts';
import type { CallRow } from '../store/queries/call-row.ts';
import { dataKeys, sealedPayloads, sealedSizes } from '../store/queries/payload.ts';
import type { CallFilter, TimeWindow } from '../store/queries/scope.ts';
import { ApiError } from './api-error.ts';
import type { SearchEnd, SearchHit, SearchProgress } from './contract.ts';
import type { RouteDeps } from './deps.ts';
import { openParts } from './payload-view.ts';
import { createTextFinder } from './text-finder.ts';
import { formatInstant } from './time-range.ts';
import type { Visibility } from './visibility.ts';
import { payloadRefusal } from './visibility.ts';

const PAGE_CALLS = 200;
/** Bodies held at a time; a larger one is opened alone. */
const BATCH_BYTES = 8 * 1024 * 1024;
const PROGRESS_MS = 500;

export type SearchDeps = Pick<RouteDeps, 'store' | 'opener' | 'clock' | 'retention'>;

export interface SearchRequest {
  readonly text: string;
  readonly filter: CallFilter;
  readonly range: TimeWindow;
  readonly limits: Readonly<Record<'calls' | 'bytes' | 'seconds' | 'matches', number>>;
  readonly visibility: Visibility;
  /** who this is now; asked at each page */
  readonly renew: () => Promise<Visibility | undefined>;
  /** aborted: the reader is gone */
  readonly signal: AbortSignal;
}

export interface FoundCall {
  readonly row: CallRow;
  readonly hits: readonly SearchHit[];
}

export interface SearchSink {
  /** Resolves when the readings are on disk. Rejects with ApiError `not_recorded`: then nothing of them may go out. */
  recordReadings(found: readonly FoundCall[]): Promise<void>;
  matches(found: readonly FoundCall[]): Promise<void>;
  progress(progress: SearchProgress): Promise<void>;
}

type Reason = SearchEnd['reason'];

interface Batch {
  readonly calls: readonly FoundCall[];
  /** false: time or matches were up before its end */
  readonly whole: boolean;
}

/** Never rejects for what a limit, the store or the rights do; the end says it. Rejects when the reader is gone. */
export async function searchPayloads(deps: SearchDeps, request: SearchRequest, sink: SearchSink): Promise<SearchEnd> {
  const search = new Search(deps, request, sink);
  return { ...(await search.run()), ...search.progress() };
}

class Search {
  readonly #deps: SearchDeps;
  readonly #request: SearchRequest;
  readonly #sink: SearchSink;
  readonly #find: ReturnType<typeof createTextFinder>;
  readonly #endMs: number;
  #toldMs: number;
  #calls = 0;
  #bytes = 0;
  #matches = 0;
  #unreadable = 0;
  #searchedToNs: bigint | undefined;

  constructor(deps: SearchDeps, request: SearchRequest, sink: SearchSink) {
    this.#deps = deps;
    this.#request = request;
    this.#sink = sink;
    this.#find = createTextFinder(request.text);
    this.#toldMs = deps.clock.monotonicMs();
    this.#endMs = this.#toldMs + request.limits.seconds * 1000;
  }

  progress(): SearchProgress {
    return {
      calls: this.#calls,
      bytes: this.#bytes,
      matches: this.#matches,
      unreadable: this.#unreadable,
      searchedTo: this.#searchedToNs === undefined ? null : formatInstant(this.#searchedToNs),
    };
  }

  async run(): Promise<{ readonly reason: Reason }> {
    const { signal } = this.#request;
    try {
      return { reason: await this.#pages() };
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError)) throw error;
      return { reason: error.code === 'not_recorded' ? 'not_recorded' : 'store' };
    }
  }

  async #pages(): Promise<Reason> {
    const { store, clock } = this.#deps;
    const { filter, range, limits, signal } = this.#request;
    let after: Position | undefined;
    for (;;) {
      const visibility = await this.#stillMay();
      if (visibility === undefined) return 'rights';
      const left = limits.calls - this.#calls;
      if (left <= 0) return 'calls';
      const page = await listCalls(
        store,
        visibility,
        filter,
        {
          ...range,
          everyRequest: true,
          limit: Math.min(PAGE_CALLS, left),
          nowNs: BigInt(clock.wallMs()) * 1_000_000n,
          timeIsUp: () => clock.monotonicMs() > this.#endMs,
          ...(after === undefined ? {} : { after }),
        },
        { signal }
      );
      const reached = await this.#page(page.rows, visibility);
      if (reached !== undefined) return reached;
      after = page.next;
      if (page.searchedToNs !== undefined) this.#searchedToNs = page.searchedToNs;
      if (after === undefined) {
        this.#searchedToNs = range.fromNs;
        return 'complete';
      }
      if (clock.monotonicMs() > this.#endMs) return 'seconds';
    }
  }

  /** What the caller may see now, if it is what it was. */
  async #stillMay(): Promise<Visibility | undefined> {
    const now = await this.#request.renew();
    const before = this.#request.visibility;
    return JSON.stringify(now) === JSON.stringify(before) ? now : undefined;
  }

  /** @returns the limit that was reached */
  async #page(rows: readonly CallRow[], visibility: Visibility): Promise<Reason | undefined> {
    const { signal, limits } = this.#request;
    const { store, clock } = this.#deps;
    // the filter has said so already; no payload is asked for on its word alone
    const allowed = rows.filter((row) => payloadRefusal(visibility, row.server) === undefined);
    const sizes = await sealedSizes(store, visibility, allowed.map(sealedCall), { signal });
    const openable = allowed.filter((row) => sizes.has(row.call_id));
    for (const batch of batches(openable, (row) => sizes.get(row.call_id) ?? 0)) {
      if (clock.monotonicMs() > this.#endMs) return 'seconds';
      if (this.#bytes >= limits.bytes) return 'bytes';
      const found = await this.#batch(batch, visibility, limits.matches - this.#matches);
      await this.#tell(found.calls);
      if (this.#matches >= limits.matches) return 'matches';
      if (!found.whole) return 'seconds';
    }
    this.#calls += rows.length - openable.length;
    const last = rows.at(-1);
    if (last !== undefined) this.#searchedToNs = BigInt(last.started_ns);
    return undefined;
  }

  async #batch(rows: readonly CallRow[], visibility: Visibility, wanted: number): Promise<Batch> {
    const { signal } = this.#request;
    const { store, opener, clock, retention } = this.#deps;
    const sealed = await sealedPayloads(store, visibility, rows.map(sealedCall), { signal });
    const keyIds = sealed.map((row) => row.key_id);
    const keys = await dataKeys(store, visibility, keyIds, { signal });
    const found: FoundCall[] = [];
    for (const row of rows) {
      signal.throwIfAborted();
      if (found.length >= wanted || clock.monotonicMs() > this.#endMs) return { calls: found, whole: false };
      const own = sealed.filter((one) => one.call_id === row.call_id);
      const payload = await openParts(row, { rows: own, keys }, { opener, retention, nowMs: clock.wallMs() });
      const parts = [payload.request, payload.response];
      this.#unreadable += parts.filter(({ state }) => state !== 'opened' && state !== 'none').length;
      this.#bytes += parts.reduce((sum, part) => sum + (part.bytes ?? 0), 0);
      this.#calls += 1;
      this.#searchedToNs = BigInt(row.started_ns);
      const hits = this.#find(payload);
      if (hits.length > 0) found.push({ row, hits });
      // a large one takes its time: others are served in between
      await breathe();
    }
    return { calls: found, whole: true };
  }

  async #tell(found: readonly FoundCall[]): Promise<void> {
    if (found.length > 0) {
      await this.#sink.recordReadings(found);
      this.#matches += found.length;
      await this.#sink.matches(found);
    }
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = nowMs;
    await this.#sink.progress(this.progress());
  }
}

function sealedCall(row: CallRow): { callId: string; startedNs: string; server: string } {
  return { callId: row.call_id, startedNs: row.started_ns, server: row.server };
}

/** In order, each of at most `BATCH_BYTES`, or one row. */
function* batches(rows: readonly CallRow[], bytesOf: (row: CallRow) => number): Generator<CallRow[]> {
  let batch: CallRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    const own = bytesOf(row);
    if (batch.length > 0 && bytes + own > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += own;
  }
  if (batch.length > 0) yield batch;
}

/** Payload text that goes out with what was found. */
export function snippetBytes(hits: readonly SearchHit[]): number {
  return hits.reduce((sum, hit) => sum + Buffer.byteLength(hit.snippet), 0);
}
