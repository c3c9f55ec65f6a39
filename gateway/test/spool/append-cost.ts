/**
 * What a durable append costs: `node gateway/test/spool/append-cost.ts`. Appends of 4 frames à 1.5 KB, each waiting for
 * its disk, with 1, 16 and 64 of them in flight; the spool beside SQLite (WAL, synchronous=FULL) given the same groups.
 * The variants alternate within a round; medians over the rounds. Not a test: figures depend on the disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { silentLogger } from '../../src/logger.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import type { RecordFrame } from '../../src/spool/spool.ts';

const ROUNDS = 3;
const MEASURE_MS = 600;
const FRAME_BYTES = 1500;

interface Sample {
  readonly appendsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number;
  readonly longestBlockMs: number;
}

interface Variant {
  append(): Promise<void>;
  close(): Promise<void>;
}

function frames(link: RecordFrame['link']): RecordFrame[] {
  const bytes = Buffer.alloc(FRAME_BYTES, 7);
  const payload: RecordFrame = { type: 'record', stream: 'payload', bytes, startedAtNs: 1n };
  return [payload, payload, payload, { ...payload, stream: 'metadata', ...(link ? { link } : {}) }];
}

async function spoolVariant(dir: string, layOutBytes: number | undefined): Promise<Variant> {
  const { spool } = await openSpool({
    dir,
    logger: silentLogger,
    ...(layOutBytes === undefined ? {} : { layOutBytes }),
  });
  return {
    append: () => spool.append(frames(spool.chain.next('form'))),
    close: () => spool.close(),
  };
}

/** The same batching as group commit, as far as SQLite's blocking calls allow: one transaction a turn of the loop. */
function sqliteVariant(dir: string): Variant {
  const database = new DatabaseSync(join(dir, 'spool.db'));
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE frames(position INTEGER PRIMARY KEY, ' +
      'stream INTEGER, call_id TEXT, seq INTEGER, hash BLOB, started_at INTEGER, bytes BLOB)'
  );
  const insert = database.prepare(
    'INSERT INTO frames(stream, call_id, seq, hash, started_at, bytes) VALUES (?, ?, ?, ?, ?, ?)'
  );
  const hash = Buffer.alloc(32);
  let waiting: (() => void)[] = [];
  let batch: RecordFrame[] = [];
  const commit = (): void => {
    const [resolvers, rows] = [waiting, batch];
    waiting = [];
    batch = [];
    database.exec('BEGIN');
    for (const row of rows) insert.run(row.stream === 'payload' ? 2 : 1, '', 1n, hash, row.startedAtNs, row.bytes);
    database.exec('COMMIT');
    for (const resolve of resolvers) resolve();
  };
  return {
    append: () =>
      new Promise((resolve) => {
        if (waiting.push(resolve) === 1) setImmediate(commit);
        batch.push(...frames(undefined));
      }),
    close: async () => {
      database.close();
    },
  };
}

async function measure(variant: Variant, inFlight: number): Promise<Sample> {
  const latenciesMs: number[] = [];
  let longestBlockMs = 0;
  let lastTick = performance.now();
  let isOver = false;
  const watch = (): void => {
    const now = performance.now();
    longestBlockMs = Math.max(longestBlockMs, now - lastTick);
    lastTick = now;
    if (!isOver) setImmediate(watch);
  };
  const loop = async (endMs: number): Promise<void> => {
    while (performance.now() < endMs) {
      const startMs = performance.now();
      await variant.append();
      latenciesMs.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, () => loop(performance.now() + 150)));
  latenciesMs.length = 0;
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, () => loop(startMs + MEASURE_MS)));
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  const count = latenciesMs.length;
  // Watched separately: the watcher itself spins.
  lastTick = performance.now();
  watch();
  await Promise.all(Array.from({ length: inFlight }, () => loop(performance.now() + MEASURE_MS / 2)));
  isOver = true;
  latenciesMs.length = count;
  latenciesMs.sort((a, b) => a - b);
  return {
    appendsPerSecond: (count * 1000) / elapsedMs,
    p50Ms: latenciesMs[count >> 1] ?? 0,
    p99Ms: latenciesMs[Math.floor(count * 0.99)] ?? 0,
    cpuUs: (user + system) / count,
    longestBlockMs,
  };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

const variants: Record<string, (dir: string) => Variant | Promise<Variant>> = {
  'segment files': (dir) => spoolVariant(dir, undefined),
  'segment files, not laid out': (dir) => spoolVariant(dir, 0),
  'SQLite WAL, synchronous=FULL': sqliteVariant,
};
console.log(
  '| variant | in flight | appends/s | p50 ms | p99 ms | CPU µs/append | longest block of the event loop ms |'
);
console.log('|---|---|---|---|---|---|---|');
for (const inFlight of [1, 16, 64]) {
  const samples = new Map<string, Sample[]>(Object.keys(variants).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const names = Object.keys(variants);
    for (const name of round % 2 === 0 ? names : names.reverse()) {
      const dir = mkdtempSync(join(tmpdir(), 'gatelens-append-cost-'));
      const variant = await variants[name]?.(dir);
      if (variant) samples.get(name)?.push(await measure(variant, inFlight));
      await variant?.close();
      rmSync(dir, { recursive: true });
    }
  }
  for (const [name, rounds] of samples) {
    const of = (pick: (sample: Sample) => number, digits: number): string => median(rounds.map(pick)).toFixed(digits);
    console.log(
      `| ${name} | ${inFlight} | ${of((one) => one.appendsPerSecond, 0)} | ${of((one) => one.p50Ms, 2)} | ` +
        `${of((one) => one.p99Ms, 2)} | ${of((one) => one.cpuUs, 0)} | ${of((one) => one.longestBlockMs, 1)} |`
    );
  }
}
