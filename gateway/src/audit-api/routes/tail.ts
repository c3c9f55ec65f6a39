/** `/tail`: the live view as server-sent events, within the caller's visibility as it is at each moment. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { principalsOf } from '../../store/queries/principals.ts';
import { storeClockMs } from '../../store/queries/tail.ts';
import { ApiError, badParameter } from '../api-error.ts';
import { callView } from '../call-view.ts';
import { tailRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { eventStream } from '../event-stream.ts';
import { askedFilter } from '../own-calls-only.ts';
import { requireSight } from '../require-sight.ts';
import type { TailSink } from '../tail.ts';
import { runTail } from '../tail.ts';
import { parseInstant } from '../time-range.ts';

const NS_PER_MS = 1_000_000n;
/** How far back a reader that comes again may begin. */
const LONGEST_BACK_MS = 15 * 60_000;
/** At the same time. Each asks the store once a second. */
const TAILS = { ofOneCaller: 4, ofAll: 40 } as const;

export function registerTail(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  const running = new Map<string, number>();

  /** Throws ApiError `limit_reached`. @returns to be called at the end */
  const begin = (who: string): (() => void) => {
    const own = running.get(who) ?? 0;
    const all = [...running.values()].reduce((sum, count) => sum + count, 0);
    if (own >= TAILS.ofOneCaller || all >= TAILS.ofAll) {
      throw new ApiError('limit_reached', 'Too many live views run at once. Close one, then begin again.');
    }
    running.set(who, own + 1);
    return () => {
      const left = (running.get(who) ?? 1) - 1;
      if (left === 0) running.delete(who);
      else running.set(who, left);
    };
  };

  api.openapi(tailRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const { since, ...query } = c.req.valid('query');
    const { signal } = c.req.raw;
    const filter = await askedFilter(c, deps, visibility, query, { signal, action: 'calls.read' });
    const storeNowMs = await storeClockMs(deps.store, { signal });
    const startMs = startOf(since, storeNowMs, nowNs(deps.clock));
    const caller = c.get('caller');
    const renew = c.get('renew');
    const ended = begin(`${caller.kind} ${caller.actorKey ?? caller.userKey} ${caller.name}`);
    return eventStream(
      c,
      async (stream, left) => {
        const sink: TailSink = {
          calls: async (rows, skipped) => {
            const principals = await principalsOf(
              deps.store,
              visibility,
              rows.map((row) => row.user_key)
            );
            if (skipped > 0) await stream.writeSSE({ event: 'skipped', data: JSON.stringify({ calls: skipped }) });
            for (const row of rows) {
              const data = JSON.stringify(callView(row, visibility, principals));
              await stream.writeSSE({ event: 'call', id: row.ingested_ms, data });
            }
          },
          heartbeat: async () => {
            await stream.write(': still here\n\n');
          },
        };
        try {
          await stream.writeSSE({ event: 'ready', data: JSON.stringify({ at: isoOf(startMs) }) });
          const { reason, toldToMs } = await runTail(sink, {
            store: deps.store,
            filter,
            visibility,
            startMs,
            renew,
            clock: deps.clock,
            signal: left,
            sleep: (ms) => sleepUntil(ms, left),
          });
          await stream.writeSSE({ event: 'end', data: JSON.stringify({ reason, since: isoOf(toldToMs) }) });
        } finally {
          ended();
        }
      },
      () => deps.logger.error('tail_failed', {})
    );
  });
}

function startOf(since: string | undefined, storeNowMs: number, now: bigint): number {
  if (since === undefined) return storeNowMs;
  const ns = parseInstant(since, now);
  if (ns === undefined) throw badParameter('since', 'there is no such time; use e.g. 2026-11-24T08:00:00Z or now-1m');
  const ms = Number(ns / NS_PER_MS);
  return Math.max(Math.min(ms, storeNowMs), storeNowMs - LONGEST_BACK_MS);
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Ends early when the reader leaves. */
function sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
