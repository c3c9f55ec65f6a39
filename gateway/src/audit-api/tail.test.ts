import { describe, expect, test } from 'vitest';
import type { CallRow } from '../store/queries/call-row.ts';
import type { StoreReader } from '../store/queries/reader.ts';
import type { TailOptions, TailSink } from './tail.ts';
import { runTail } from './tail.ts';
import { visibilityOf } from './visibility.ts';

const START_MS = 1_795_508_000_000;
const ADMIN = { kind: 'token', name: 't', roles: ['admin'], userKey: '', auditorServers: '*' } as const;
const VIEWER = { ...ADMIN, roles: ['viewer'], userKey: 'a'.repeat(32) } as const;

interface World {
  /** rows of each turn; after the last there are none */
  turns?: readonly (readonly Partial<CallRow>[] | Error)[];
  renew?: TailOptions['renew'];
  onSleep?: (clock: { ms: number }, leave: () => void) => void;
}

async function run(world: World) {
  const clock = { ms: 0 };
  const left = new AbortController();
  const turns = [...(world.turns ?? [])];
  const asked: number[] = [];
  const heartbeats: number[] = [];
  const told: string[] = [];
  const store: StoreReader = {
    query<Row>(_sql: string, params: Readonly<Record<string, unknown>>): Promise<Row[]> {
      asked.push(Number(params.sinceMs) - START_MS);
      const turn = turns.shift() ?? [];
      if (turn instanceof Error) return Promise.reject(turn);
      return Promise.resolve(turn.map((row) => ({ phase: 'closed', arrived: turn.length, ...row })).reverse() as Row[]);
    },
  };
  const sink: TailSink = {
    calls: (rows, skipped) => {
      told.push(...rows.map((row) => row.call_id), ...(skipped > 0 ? [`skipped ${skipped}`] : []));
      return Promise.resolve();
    },
    heartbeat: () => Promise.resolve(void heartbeats.push(clock.ms)),
  };
  const visibility = visibilityOf(ADMIN);
  const end = await runTail(sink, {
    store,
    visibility,
    filter: { only: {}, not: {}, words: [], demo: false },
    startMs: START_MS,
    renew: world.renew ?? (() => Promise.resolve(visibilityOf(ADMIN))),
    clock: { monotonicMs: () => clock.ms },
    signal: left.signal,
    sleep: (ms) => {
      clock.ms += ms;
      world.onSleep?.(clock, () => left.abort());
      return Promise.resolve();
    },
  });
  return { end, asked, heartbeats, told, clock };
}

const at = (call_id: string, ms: number): Partial<CallRow> => ({ call_id, ingested_ms: String(START_MS + ms) });

describe('the loop of the live view', () => {
  test('ends by itself after five minutes, with a heartbeat every 15 seconds', async () => {
    const { end, heartbeats, asked } = await run({});
    expect(end.reason).toBe('time');
    expect(asked).toHaveLength(300);
    expect(heartbeats).toHaveLength(19);
    // what a slow insert brings late is found: never told further than the overlap
    expect(end.toldToMs).toBeLessThanOrEqual(START_MS + 290_000);
  });

  test('tells a row that is seen late, and no row twice', async () => {
    const { told } = await run({
      turns: [[at('a', 100)], [at('late', 50), at('a', 100)], [at('late', 50), at('a', 100), at('b', 900)]],
    });
    expect(told).toEqual(['a', 'late', 'b']);
  });

  test('never asks for what came before it began', async () => {
    const { asked } = await run({ turns: [[at('a', 1)]] });
    expect(Math.min(...asked)).toBe(0);
  });

  test.each([
    ['rights were taken', () => Promise.resolve(undefined)],
    ['rights are others', () => Promise.resolve(visibilityOf(VIEWER))],
  ] as [string, TailOptions['renew']][])('ends within 15 seconds when %s', async (_what, renew) => {
    const { end, clock } = await run({ renew });
    expect(end.reason).toBe('rights');
    expect(clock.ms).toBe(15_000);
  });

  test('ends when the store does not answer, and says from where to begin again', async () => {
    const { end } = await run({ turns: [[at('a', 500)], new Error('gone')] });
    expect(end).toEqual({ reason: 'store', toldToMs: START_MS + 500 });
  });

  test('ends at once when the reader leaves', async () => {
    const { asked } = await run({ onSleep: (_clock, leave) => leave() });
    expect(asked).toHaveLength(1);
  });
});
