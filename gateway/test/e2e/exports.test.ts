/**
 * Scheduled exports of a real `gatelens serve`: killed in the middle of a window, with a clock that was set back and an
 * edit between; a disk that is really full and one that really can only be read. Under its final name a file is whole or
 * not there, the next run makes the window again, and `gatelens export verify` finds that all windows join.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ExportRun, ExportSchedule } from '../../src/audit-api/contract.ts';
import { s3Destination } from '../../src/exports/s3-destination.ts';
import { S3_KEYS, startBucket } from '../audit-api/bucket-under-test.ts';
import { canMount } from '../spool/mount-namespace.ts';
import { GatelensProcess, type GatelensOptions } from './gatelens-process.ts';
import { People } from './people.ts';
import { until } from './until.ts';
import { startWebServer, type WebServer } from './upstream-process.ts';

const HOUR_MS = 3_600_000;
const people = new People();
people.addToken('admin', 'admin');
people.addToken('auditor', 'auditor');

let web: WebServer;
let root: string;
let running: GatelensProcess[] = [];
beforeAll(async () => {
  web = await startWebServer('exports');
  root = mkdtempSync(join(tmpdir(), 'gatelens-e2e-exports-'));
});
afterEach(async () => {
  for (const one of running) await one.dispose();
  running = [];
});
afterAll(async () => {
  await web.stop();
  rmSync(root, { recursive: true, force: true });
});

type Destinations = NonNullable<NonNullable<GatelensOptions['config']['exports']>['destinations']>;

function create(destinations: Destinations, options: Partial<GatelensOptions> = {}): GatelensProcess {
  const config = {
    mcpServers: { fast: { url: `${web.url}/fast` } },
    auditApi: { tokens: people.tokens },
    exports: { destinations },
  };
  const gatelens = new GatelensProcess({ config, ...options });
  running.push(gatelens);
  return gatelens;
}

async function send<T>(gatelens: GatelensProcess, method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${gatelens.urls.auditApi}/api/v1/exports/${path}`, {
    method,
    headers: { Authorization: `Bearer ${people.of('admin')}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

const runsOf = async (gatelens: GatelensProcess, id: string): Promise<ExportRun[]> =>
  (await send<{ items: ExportRun[] }>(gatelens, 'GET', `runs?scheduleId=${id}`)).items.reverse();

async function done(gatelens: GatelensProcess, id: string, windows: number): Promise<ExportRun[]> {
  let runs: ExportRun[] = [];
  await until(
    async () => {
      runs = await runsOf(gatelens, id);
      return runs.filter(({ state }) => state === 'done').length >= windows;
    },
    () => `${windows} windows are made: ${JSON.stringify(runs.map(({ state, problem }) => [state, problem]))}`,
    100_000
  );
  return runs;
}

/** Calls of a gateway that is no more, made inside the store. */
async function fill(gatelens: GatelensProcess, fromMs: number, rows: number, firstSeq: number): Promise<void> {
  const hash = (salt: string) => `lower(hex(SHA256(concat('${salt}', toString(number)))))`;
  await gatelens.sql(
    `INSERT INTO mcp.calls (record_version, kind, chain_id, seq, record_hash, phase, call_id, started_at, duration, auth_method,
    session_kind, server, operation, tool, outcome, capture_mode, payload_state, client_name, attributes)
SELECT 1, 'request', 'gone-gateway', number + ${firstSeq}, ${hash('h')}, 'closed', concat('call-', toString(number + ${firstSeq})),
    fromUnixTimestamp64Milli(${fromMs} + toInt64(number * ${Math.floor((HOUR_MS - 1000) / rows)})), 5000000, 'api_key',
    'none', 'fast', 'tools/call', 'echo', 'success', 'full', 'none', 'cli', map('a', ${hash('a')}, 'b', ${hash('b')})
FROM numbers(${rows})`
  );
}

const filesIn = (directory: string): string[] =>
  !existsSync(directory)
    ? []
    : readdirSync(directory, { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((one) => one.isFile())
        .map((one) => join(one.parentPath, one.name).slice(directory.length + 1))
        .sort();
const halves = (directory: string): string[] => filesIn(directory).filter((name) => name.endsWith('.part'));
const idsIn = (file: string): string[] => readFileSync(file, 'utf8').match(/"call_id":"[^"]+"/g) ?? [];

describe('killed in the middle of a window', () => {
  it('leaves nothing half under a final name; the next makes it again, also after an edit and a clock set back', async () => {
    const directory = join(root, 'archive');
    mkdirSync(directory);
    const store = await startBucket(join(root, 's3'));
    const preload = join(import.meta.dirname, '..', 'fixtures', 'settable-clock.mjs');
    const gatelens = create(
      [
        { name: 'archive', directory },
        { name: 'bucket', s3: { bucket: 'audit', endpoint: store.url, pathStyle: true, ...S3_KEYS } },
      ],
      { env: { NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` } }
    );
    try {
      await gatelens.start();
      const startMs = Math.floor((Date.now() - 120_000) / HOUR_MS) * HOUR_MS - 3 * HOUR_MS;
      const ROWS = [150_000, 500, 500];
      for (const [index, rows] of ROWS.entries())
        await fill(gatelens, startMs + index * HOUR_MS, rows, 1 + index * 200_000);
      const body = {
        filters: { server: 'fast' },
        columns: ['call_id', 'started_at', 'attributes', 'server', 'chain_id', 'seq', 'record_hash'],
        timing: { every: 'hour' },
      };
      const startFrom = new Date(startMs).toISOString();
      const add = (name: string): Promise<ExportSchedule> =>
        send(gatelens, 'POST', 'schedules', { name, destination: { type: 'configured', name }, startFrom, ...body });

      // a directory: killed as soon as bytes are on the disk
      const archive = await add('archive');
      await send(gatelens, 'POST', `schedules/${archive.id}/run`);
      await until(
        () => halves(directory).some((name) => statSync(join(directory, name)).size > 0),
        'bytes are written'
      );
      await gatelens.kill('SIGKILL');
      expect(halves(directory)).toHaveLength(1);
      expect(filesIn(directory)).toHaveLength(1);

      await gatelens.start();
      const [interrupted] = await runsOf(gatelens, archive.id);
      expect(interrupted?.state).toMatch(/pending|running/);
      const { version } = await send<ExportSchedule>(gatelens, 'GET', `schedules/${archive.id}`);
      await send(gatelens, 'PUT', `schedules/${archive.id}`, {
        ...body,
        name: 'archive',
        destination: { type: 'configured', name: 'archive' },
        compression: 'none',
        columns: [...body.columns, 'tool'],
        version,
      });
      process.kill(gatelens.pid, 'SIGUSR2');
      await until(() => gatelens.stderr.includes('the clock was set back'), 'the clock is set back');
      await send(gatelens, 'POST', `schedules/${archive.id}/run`);
      const before = await done(gatelens, archive.id, 2);
      expect(before.map(({ rows }) => rows).slice(0, 2)).toEqual(ROWS.slice(0, 2));

      // a bucket: killed while a part of the upload is on its way
      const held = new Promise<void>((begun) => {
        store.watch((request) => (request.includes('partNumber=2') ? (begun(), 'held') : undefined));
      });
      const bucket = await add('bucket');
      await send(gatelens, 'POST', `schedules/${bucket.id}/run`);
      await held;
      await gatelens.kill('SIGKILL');
      store.watch();
      expect(store.objects()).toEqual([]);

      await gatelens.start();
      for (const { id } of [archive, bucket]) {
        await send(gatelens, 'POST', `schedules/${id}/run`);
        const runs = await done(gatelens, id, 3);
        expect(runs.map(({ rows }) => rows)).toEqual(ROWS);
        expect(runs.slice(1).map(({ from }) => from)).toEqual(runs.slice(0, -1).map(({ to }) => to));
      }
      expect(halves(directory)).toEqual([]);
      const fetched = join(root, 'fetched');
      const reader = s3Destination({
        endpoint: store.url,
        region: 'us-east-1',
        bucket: 'audit',
        pathStyle: true,
        sse: 'none',
        allowPrivate: true,
        nowMs: () => Date.now(),
        credentials: () => Promise.resolve(S3_KEYS),
      });
      for (const run of await runsOf(gatelens, bucket.id)) {
        for (const name of [...run.objects.map((one) => one.name), run.manifestName ?? '']) {
          mkdirSync(dirname(join(fetched, name)), { recursive: true });
          writeFileSync(join(fetched, name), await reader.read(name));
        }
      }
      for (const place of [directory, fetched]) {
        const verified = await gatelens.run('export', 'verify', place);
        expect(verified, verified.err).toMatchObject({ code: 0, err: expect.stringContaining('3 manifests') });
        const ids = filesIn(place)
          .filter((name) => name.endsWith('.jsonl'))
          .flatMap((name) => idsIn(join(place, name)));
        expect([ids.length, new Set(ids).size]).toEqual([151_000, 151_000]);
      }
    } finally {
      await store.close();
    }
  }, 300_000);
});

/** Each on a small file system of its own, in a mount namespace: one to be filled, one that can only be read. */
const onOwnDisks =
  (full: string, readOnly: string): NonNullable<GatelensOptions['wrap']> =>
  (command) => {
    const script = 'mount -t tmpfs -o size=1m tmpfs "$1" && mount -t tmpfs -o ro tmpfs "$2" && shift 2 && exec "$@"';
    return ['unshare', '-rm', 'sh', '-c', script, 'sh', full, readOnly, ...command];
  };

if (!canMount) console.warn('SKIPPED: a full and a read-only destination need Linux with user namespaces or root.');
describe.skipIf(!canMount)('a directory', () => {
  it('that is full, or can only be read, is told with what to do; the window is made once there is room', async () => {
    const [full, readOnly] = [join(root, 'full'), join(root, 'read-only')];
    mkdirSync(full);
    mkdirSync(readOnly);
    const gatelens = create(
      [
        { name: 'full', directory: full },
        { name: 'read-only', directory: readOnly },
      ],
      { wrap: onOwnDisks(full, readOnly) }
    );
    await gatelens.start();
    const asSeen = join(`/proc/${gatelens.pid}/root`, full);
    const startMs = Math.floor((Date.now() - 120_000) / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
    await fill(gatelens, startMs, 300, 1);
    await fill(gatelens, startMs + HOUR_MS, 20, 1001);
    const filler = openSync(join(asSeen, 'filler'), 'w');
    // all but 64 KB, so that the file is begun and cannot be ended
    writeSync(filler, Buffer.alloc(960 * 1024));
    closeSync(filler);
    let toFull = '';
    const schedule = (name: string): Promise<ExportSchedule> =>
      send(gatelens, 'POST', 'schedules', {
        name,
        filters: { server: 'fast' },
        timing: { every: 'hour' },
        destination: { type: 'configured', name },
        startFrom: new Date(startMs).toISOString(),
      });
    for (const [name, message] of [
      ['full', /\(ENOSPC\)\. The disk is full\. Make room/],
      ['read-only', /\(EROFS\)\. It can only be read\. Mount it writable/],
    ] as const) {
      const { id } = await schedule(name);
      if (name === 'full') toFull = id;
      await send(gatelens, 'POST', `schedules/${id}/run`);
      await until(async () => (await runsOf(gatelens, id))[0]?.state === 'retrying', 'it failed');
      const [failed, waiting] = await runsOf(gatelens, id);
      expect(failed).toMatchObject({ attempts: 1, problem: expect.stringMatching(message), objects: [] });
      expect(Date.parse(failed?.nextAttemptAt ?? '')).toBeGreaterThan(Date.parse(failed?.endedAt ?? '') + 20_000);
      // the one after it keeps its turn
      expect(waiting).toMatchObject({ state: 'pending', attempts: 0 });
      expect(await send(gatelens, 'GET', `schedules/${id}`)).toMatchObject({
        state: 'retrying',
        stateReason: expect.stringMatching(message),
      });
      // a small object may still find room on the full one
      const steps = [{ step: 'write', state: 'failed', message: expect.stringMatching(message) }, {}, {}];
      const test = await send(gatelens, 'POST', 'destinations/test', { destination: { type: 'configured', name } });
      if (name === 'read-only') expect(test).toMatchObject({ ok: false, steps });
    }
    expect(filesIn(asSeen)).toEqual(['filler']);
    expect(gatelens.stderr).not.toContain('call-1');

    rmSync(join(asSeen, 'filler'));
    await send(gatelens, 'POST', `schedules/${toFull}/run`);
    const runs = await done(gatelens, toFull, 2);
    expect(runs.map(({ rows, attempts }) => [rows, attempts])).toEqual([
      [300, 2],
      [20, 1],
    ]);
    const verified = await gatelens.run('export', 'verify', asSeen);
    expect(verified, verified.err).toMatchObject({ code: 0, err: expect.stringContaining('2 manifests') });
    expect(filesIn(asSeen).flatMap((name) => (name.endsWith('.jsonl') ? idsIn(join(asSeen, name)) : []))).toHaveLength(
      320
    );
  }, 180_000);
});
