/**
 * The loop behind the live view: asks the store once a second what arrived, tells it on, ends by itself. Bounded: so many
 * calls a turn, so long a time, and nothing is asked while the reader does not read. What a caller may see is found out
 * anew every 15 seconds. Knows no HTTP.
 */
import type { CallRow } from '../store/queries/call-row.ts';
import type { QueryOptions, StoreReader } from '../store/queries/reader.ts';
import type { CallFilter } from '../store/queries/scope.ts';
import { arrivedSince } from '../store/queries/tail.ts';
import type { TailEnd } from './contract.ts';
import type { ApiClock } from './clock.ts';
import type { Visibility } from './visibility.ts';

/** Calls a turn; more are counted, not sent. */
const TAIL_CALLS = 200;
const TURN_MS = 1000;
const HEARTBEAT_MS = 15_000;
const LONGEST_MS = 5 * 60_000;
/** An insert carries the time of its start and is seen at its end; so far back is looked each time. */
const OVERLAP_MS = 10_000;

export interface TailSink {
  /** resolve when the reader took it */
  calls(rows: readonly CallRow[], skipped: number): Promise<void>;
  heartbeat(): Promise<void>;
}

export interface TailOptions {
  readonly store: StoreReader;
  readonly filter: CallFilter;
  readonly visibility: Visibility;
  /** ms since 1970 by the store's clock; earlier arrivals are not told */
  readonly startMs: number;
  /** asks again who the caller is; undefined when nobody any more */
  readonly renew: () => Promise<Visibility | undefined>;
  readonly clock: Pick<ApiClock, 'monotonicMs'>;
  readonly signal: AbortSignal;
  readonly sleep: (ms: number) => Promise<void>;
}

/** @returns why it is over, and up to when all was told (ms since 1970) */
export async function runTail(
  sink: TailSink,
  options: TailOptions
): Promise<{ readonly reason: TailEnd['reason']; readonly toldToMs: number }> {
  const { clock, signal, startMs } = options;
  const beganMs = clock.monotonicMs();
  const told = new Map<string, number>();
  let toldToMs = startMs;
  let heartbeatMs = beganMs;
  let floorMs = startMs;
  while (!signal.aborted) {
    const nowMs = clock.monotonicMs();
    if (nowMs - beganMs >= LONGEST_MS) return { reason: 'time', toldToMs };
    if (nowMs - heartbeatMs >= HEARTBEAT_MS) {
      heartbeatMs = nowMs;
      const visibility = await options.renew();
      if (JSON.stringify(visibility) !== JSON.stringify(options.visibility)) return { reason: 'rights', toldToMs };
      await sink.heartbeat();
    }
    const sinceMs = Math.max(floorMs, toldToMs - OVERLAP_MS);
    const rows = await arrived(options, sinceMs, told.size + TAIL_CALLS, { signal });
    if (rows === undefined) return { reason: 'store', toldToMs };
    const fresh = rows.calls.filter((row) => !told.has(nameOf(row)));
    const sent = fresh.slice(-TAIL_CALLS);
    const skipped = Math.max(0, rows.arrived - told.size - sent.length);
    for (const row of fresh) told.set(nameOf(row), Number(row.ingested_ms));
    // time passes for quiet stores too, or the look back would grow
    toldToMs = Math.max(toldToMs, startMs + (nowMs - beganMs) - OVERLAP_MS, ...rows.calls.map(arrivedMs));
    if (skipped > 0) {
      // no looking back into what was skipped
      floorMs = toldToMs + 1;
      told.clear();
    }
    for (const [name, ms] of told) if (ms < toldToMs - OVERLAP_MS) told.delete(name);
    if (sent.length > 0 || skipped > 0) await sink.calls(sent, skipped);
    await options.sleep(TURN_MS);
  }
  return { reason: 'time', toldToMs };
}

async function arrived(
  { store, visibility, filter }: TailOptions,
  sinceMs: number,
  limit: number,
  options: QueryOptions
): Promise<{ readonly calls: readonly CallRow[]; readonly arrived: number } | undefined> {
  try {
    const calls = await arrivedSince(store, visibility, filter, { sinceMs, limit }, options);
    return { calls, arrived: Number(calls[0]?.arrived ?? 0) };
  } catch {
    return undefined;
  }
}

function arrivedMs(row: CallRow): number {
  return Number(row.ingested_ms);
}

/** A stream that ends is told again. */
function nameOf(row: CallRow): string {
  return `${row.call_id} ${row.phase}`;
}
