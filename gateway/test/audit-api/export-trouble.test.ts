/**
 * Scheduled exports when something around them goes wrong, seen through the history of the schedule: a bucket that
 * vanishes in the middle, a storm of errors, wrong credentials, an owner who leaves the Auditor team. Nothing half is
 * ever there, nothing is lost, and the next attempt makes the same window.
 */
import { createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ExportRun, ExportSchedule } from '../../src/audit-api/contract.ts';
import { openState } from '../../src/audit-api/state/state-file.ts';
import { directoryDestination } from '../../src/exports/directory-destination.ts';
import { s3Destination } from '../../src/exports/s3-destination.ts';
import { verifyManifests } from '../../src/exports/verify-files.ts';
import type { TestApi, TestApiOptions, TestCall, TestStore } from './api-under-test.ts';
import {
  NS,
  callIdAt,
  clickhouseTime,
  insertCalls,
  insertPayload,
  signingKeyPem,
  startTestApi,
  startTestStore,
  userKey,
} from './api-under-test.ts';
import { S3_KEYS, startBucket, type BucketUnderTest } from './bucket-under-test.ts';
import { startFakeGrafana, type FakeGrafana, type Person } from './fake-grafana.ts';

const HOUR_MS = 3_600_000;
const START_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 5 * HOUR_MS;
const at = (hours: number): string => new Date(START_MS + hours * HOUR_MS).toISOString();

let store: TestStore;
let root: string;
let mark = 0;
let server: string;
let directory: string;
let bucket: BucketUnderTest;
let clock: { ms: number };
let state: DatabaseSync;

beforeAll(async () => {
  store = await startTestStore();
  root = mkdtempSync(join(tmpdir(), 'gatelens-export-trouble-'));
  bucket = await startBucket(join(root, 's3'));
});
afterAll(async () => {
  await bucket.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(async () => {
  server = `server-${(mark += 1)}`;
  directory = join(root, `dir-${mark}`);
  mkdirSync(directory);
  clock = { ms: START_MS + 2 * HOUR_MS + 120_000 };
  state = openState(':memory:');
  bucket.watch();
  const seen = { at: clickhouseTime(BigInt(clock.ms) * NS + BigInt(mark)), component: 'gateway', chain_id: 'gw' };
  await store.admin.insert({ table: 'mcp.health', format: 'JSONEachRow', values: [seen] });
});

const callAt = (hours: number, more: object = {}): TestCall => {
  const ms = Math.round(START_MS + hours * HOUR_MS);
  return { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email: 'ana@example.com', server, ...more };
};

function world(over: TestApiOptions = {}): TestApi {
  return startTestApi(store.reader, {
    wallMs: () => clock.ms,
    state,
    destinations: {
      configured: [{ name: 'archive', type: 'directory', destination: directoryDestination(directory) }],
      allowPrivate: true,
    },
    ...over,
  });
}

type Headers = Readonly<Record<string, string>>;
const ADMIN: Headers = { Authorization: 'Bearer admin' };
interface Answer<T> {
  readonly status: number;
  readonly body: T;
}
async function send<T>(api: TestApi, method: string, path: string, body?: object, who = ADMIN): Promise<Answer<T>> {
  const answer = await api.api.request(`/api/v1/exports/${path}`, {
    method,
    headers: { ...who, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: JSON.parse(text === '' ? '{}' : text) as T };
}
const historyOf = async (api: TestApi, id: string): Promise<ExportRun[]> =>
  (await send<{ items: ExportRun[] }>(api, 'GET', `runs?scheduleId=${id}`)).body.items.reverse();
const scheduleOf = async (api: TestApi, id: string, who = ADMIN): Promise<ExportSchedule> =>
  (await send<ExportSchedule>(api, 'GET', `schedules/${id}`, undefined, who)).body;

const s3 = (secretAccessKey = S3_KEYS.secretAccessKey): object => ({
  type: 's3',
  bucket: 'audit',
  endpoint: bucket.url,
  pathStyle: true,
  accessKeyId: S3_KEYS.accessKeyId,
  secretAccessKey,
});
const reader = (): ReturnType<typeof s3Destination> =>
  s3Destination({
    endpoint: bucket.url,
    region: 'us-east-1',
    bucket: 'audit',
    pathStyle: true,
    sse: 'none',
    allowPrivate: true,
    nowMs: () => clock.ms,
    credentials: () => Promise.resolve(S3_KEYS),
  });
const hourly = (more: object = {}): object => ({
  name: server,
  filters: { server },
  timing: { every: 'hour' },
  destination: s3(),
  startFrom: at(0),
  ...more,
});
/** As a change: where the first window began is not in it. */
const changed = (version: number, more: object = {}): object => ({
  ...Object.fromEntries(Object.entries(hourly(more)).filter(([name]) => name !== 'startFrom')),
  version,
});

const keys = [{ publicKey: createPublicKey(signingKeyPem) }];
/** @returns what is wrong with the files of these runs, fetched from the bucket, and the ids of the calls in them */
async function fetched(runs: readonly ExportRun[]): Promise<{ problems: string[]; ids: string[] }> {
  const names = runs.flatMap((run) => [...run.objects.map(({ name }) => name), run.manifestName ?? '']);
  for (const name of names) writeFileSync(join(directory, basename(name)), await reader().read(name));
  return filesHere();
}
async function filesHere(): Promise<{ problems: string[]; ids: string[] }> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const manifests = files.filter((name) => name.endsWith('.manifest.json'));
  const verified = await verifyManifests(
    manifests.map((name) => join(directory, name)),
    keys
  );
  const ids = files
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { call_id: string }).call_id);
  return { problems: verified.flatMap(({ problems }) => problems), ids };
}
const ours = (): string[] => bucket.objects().filter((name) => name.startsWith(server));
const error = (code: string): string => `<Error><Code>${code}</Code><Message>SECRET-REMARK</Message></Error>`;

interface Trouble {
  readonly begin: () => void;
  readonly end: () => void;
  readonly message: RegExp;
}

describe('a destination in trouble', () => {
  const unavailable = { status: 503, body: error('ServiceUnavailable') };
  const TROUBLES: Readonly<Record<string, Trouble>> = {
    'a bucket that vanishes in the middle of an upload': {
      begin: () =>
        bucket.watch((request) => {
          if (!/^PUT .*partNumber=2(&|$)/.test(request)) return undefined;
          bucket.watch();
          bucket.vanish();
          return undefined;
        }),
      end: () => bucket.comeBack(),
      message: /NoSuchBucket, 404\)\. There is no such bucket\. Make it/,
    },
    'a storm of errors': {
      begin: () => bucket.watch(() => unavailable),
      end: () => bucket.watch(),
      message: /ServiceUnavailable, 503\)\. It is tried again later/,
    },
    'a storm that begins in the middle of an upload': {
      begin: () => bucket.watch((request) => (/^PUT .*partNumber=2(&|$)/.test(request) ? unavailable : undefined)),
      end: () => bucket.watch(),
      message: /ServiceUnavailable, 503\)\. It is tried again later/,
    },
  };

  test.each(Object.entries(TROUBLES))(
    '%s: the history says so, attempts come at longer and longer intervals, and the window is made whole in the end',
    async (_what, { begin, end, message }) => {
      // several parts of an upload
      const text = 'x'.repeat(1_000_000);
      const calls = Array.from({ length: 10 }, (_, index) => callAt(0.1 + index / 100, { attributes: { text } }));
      const next = callAt(1.5);
      await insertCalls(store, [...calls, next]);
      const api = world();
      const { body } = await send<ExportSchedule>(api, 'POST', 'schedules', hourly());
      begin();
      await api.exporting.scheduler.tick();
      const waits: number[] = [];
      for (let attempt = 1; attempt <= 2; attempt++) {
        const [failed, waiting] = await historyOf(api, body.id);
        expect(failed).toMatchObject({ state: 'retrying', attempts: attempt, objects: [], manifestName: null });
        expect(failed?.problem).toMatch(message);
        expect(failed?.problem).not.toContain('SECRET-REMARK');
        // windows are made in order
        expect(waiting).toMatchObject({ state: 'pending', attempts: 0, rows: 0 });
        expect(await scheduleOf(api, body.id)).toMatchObject({ state: 'retrying', stateReason: failed?.problem });
        const wait = Date.parse(failed?.nextAttemptAt ?? '') - clock.ms;
        waits.push(wait);
        // not before its time
        clock.ms += wait - 1;
        await api.exporting.scheduler.tick();
        expect((await historyOf(api, body.id))[0]?.attempts).toBe(attempt);
        clock.ms += 1;
        if (attempt === 2) {
          end();
          expect(ours()).toEqual([]);
        }
        await api.exporting.scheduler.tick();
      }
      expect(waits).toEqual([30_000, 60_000]);
      const runs = await historyOf(api, body.id);
      expect(runs.map((run) => [run.state, run.attempts, run.rows, run.problem])).toEqual([
        ['done', 3, 10, null],
        ['done', 1, 1, null],
      ]);
      expect(await fetched(runs)).toEqual({ problems: [], ids: [...calls, next].map(({ call_id }) => call_id) });
    }
  );

  test('wrong credentials: the history says which, and with the right ones the same window is made', async () => {
    const call = callAt(0.5);
    await insertCalls(store, [call]);
    const api = world();
    const wrong = { destination: s3('wrong-secret') };
    const { body } = await send<ExportSchedule>(api, 'POST', 'schedules', hourly(wrong));
    await api.exporting.scheduler.tick();
    const [failed] = await historyOf(api, body.id);
    expect(failed).toMatchObject({ state: 'retrying', attempts: 1, rows: 1 });
    expect(failed?.problem).toMatch(
      /SignatureDoesNotMatch, 403\)\. The secret key is wrong\. Set the credentials again/
    );
    expect(JSON.stringify([failed, await scheduleOf(api, body.id)])).not.toContain('wrong-secret');
    expect(ours()).toEqual([]);
    expect((await send(api, 'PUT', `schedules/${body.id}`, changed(body.version))).status).toBe(200);
    await api.exporting.scheduler.tick([body.id]);
    const runs = await historyOf(api, body.id);
    expect(runs.map((run) => [run.id, run.state])).toEqual([
      [failed?.id, 'done'],
      [runs[1]?.id, 'done'],
    ]);
    expect(await fetched(runs)).toEqual({ problems: [], ids: [call.call_id] });
  });
});

describe('an owner who comes through Grafana', () => {
  const VERA: Person = { id: 3, login: 'vera', role: 'Viewer', teams: ['Security Audit'] };
  const MARC: Person = { id: 4, login: 'marc', role: 'Viewer', teams: ['Security Audit'] };
  const OLGA: Person = { id: 2, login: 'olga', role: 'Admin' };
  let grafana: FakeGrafana;
  let monotonicMs = 0;
  beforeEach(async () => {
    grafana = await startFakeGrafana([OLGA, VERA, MARC], ['Security Audit', 'GitHub Audit', 'Owners']);
  });
  afterEach(() => grafana.close());

  const withGrafana = (): TestApi => world({ grafana: grafana.settings, monotonicMs: () => monotonicMs });
  const leaves = (person: Person, now?: Person): void => {
    const kept = grafana.people.filter(({ id }) => id !== person.id);
    grafana.people.splice(0, grafana.people.length, ...kept, ...(now === undefined ? [] : [now]));
    // longer than what Grafana said is believed
    monotonicMs += 600_000;
  };
  const withPayloads = (more: object = {}): object =>
    hourly({ payloads: true, destination: { type: 'configured', name: 'archive' }, ...more });
  const change = (version: number, more: object = {}): object =>
    changed(version, { payloads: true, destination: { type: 'configured', name: 'archive' }, ...more });
  const opened = async (hours: number): Promise<TestCall> => {
    const call = callAt(hours);
    const sealed = await insertPayload(store, call, { request: `{"marker":"PLAIN-${hours}"}`, response: '{}' });
    await insertCalls(store, [{ ...call, ...sealed }]);
    return call;
  };
  const text = (): string =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => readFileSync(join(directory, name), 'utf8'))
      .join('');

  test.each<[string, Person | undefined]>([
    ['leaves the Auditor team', { ...VERA, teams: [] }],
    ['leaves it and is an admin now', { ...VERA, teams: [], role: 'Admin' }],
    ['is disabled', { ...VERA, disabled: true }],
    ['is not in the organisation any more', undefined],
  ])(
    '%s: nothing more goes out, it says so, it is recorded once; another Auditor takes it over',
    async (_what, now) => {
      const [first, second] = [await opened(0.5), await opened(1.5)];
      clock.ms = START_MS + HOUR_MS + 120_000;
      const api = withGrafana();
      const vera = await grafana.headers(VERA);
      const { status, body } = await send<ExportSchedule>(api, 'POST', 'schedules', withPayloads(), vera);
      expect([status, body.owner.name]).toEqual([201, 'vera']);
      await api.exporting.scheduler.tick();
      expect(text()).toContain('PLAIN-0.5');

      leaves(VERA, now);
      clock.ms += HOUR_MS;
      await api.exporting.scheduler.tick();
      await api.exporting.scheduler.tick([body.id]);
      expect(text()).not.toContain('PLAIN-1.5');
      expect(await scheduleOf(api, body.id)).toMatchObject({
        state: 'stopped',
        stateReason: expect.stringMatching(/owner may no longer export this\. An Auditor .*can take it over/),
      });
      const refused = api.recorded.filter(
        ({ decision, detail }) => decision === 'refused' && detail?.phase === 'stopped'
      );
      expect(refused).toMatchObject([
        {
          action: 'export.payloads',
          reason: 'not_auditor',
          actorKind: 'grafana',
          actorKey: userKey('vera@example.com'),
          detail: { schedule: body.id },
        },
      ]);

      // who lost the team, and an admin, can neither change it nor let it go on
      const olga = await grafana.headers(OLGA);
      for (const who of [vera, olga]) {
        for (const more of [
          { destination: s3() },
          { columns: ['call_id'] },
          { filters: {} },
          { payloads: false, filters: {} },
        ]) {
          const answer = await send(api, 'PUT', `schedules/${body.id}`, change(body.version, more), who);
          expect(answer.status).toBe(403);
        }
      }
      expect((await send<ExportSchedule>(api, 'POST', `schedules/${body.id}/pause`, undefined, olga)).body.state).toBe(
        'paused'
      );
      expect((await send(api, 'POST', `schedules/${body.id}/resume`, undefined, olga)).status).toBe(403);

      const marc = await grafana.headers(MARC);
      expect((await send(api, 'POST', `schedules/${body.id}/resume`, undefined, marc)).status).toBe(200);
      const { version } = await scheduleOf(api, body.id, marc);
      const taken = await send<ExportSchedule>(api, 'PUT', `schedules/${body.id}`, change(version), marc);
      expect([taken.status, taken.body.owner.name]).toEqual([200, 'marc']);
      await api.exporting.scheduler.tick();
      expect(await scheduleOf(api, body.id)).toMatchObject({ state: 'active', stateReason: null });
      expect(text()).toContain('PLAIN-1.5');
      expect(await filesHere()).toEqual({ problems: [], ids: [first.call_id, second.call_id] });
    }
  );

  test('of whom Grafana says nothing just now: it waits, says so, and goes on by itself', async () => {
    await opened(0.5);
    clock.ms = START_MS + HOUR_MS + 120_000;
    const api = withGrafana();
    const { body } = await send<ExportSchedule>(api, 'POST', 'schedules', withPayloads(), await grafana.headers(VERA));
    monotonicMs += 600_000;
    grafana.trouble = 'down';
    await api.exporting.scheduler.tick();
    expect(text()).toBe('');
    expect(await scheduleOf(api, body.id)).toMatchObject({
      state: 'retrying',
      stateReason: expect.stringContaining('Grafana does not say whether its owner is still Auditor'),
    });
    grafana.trouble = undefined;
    monotonicMs += 600_000;
    await api.exporting.scheduler.tick();
    expect(text()).toContain('PLAIN-0.5');
  });

  test('who leaves between two windows that both wait gets the first of them only', async () => {
    await opened(0.5);
    await opened(1.5);
    const api = withGrafana();
    const { body } = await send<ExportSchedule>(api, 'POST', 'schedules', withPayloads(), await grafana.headers(VERA));
    const { runs } = api.exporting;
    const change = runs.change.bind(runs);
    runs.change = (id, what) => {
      change(id, what);
      if (what.state === 'done') leaves(VERA, { ...VERA, teams: [] });
    };
    await api.exporting.scheduler.tick();
    expect(text()).toContain('PLAIN-0.5');
    expect(text()).not.toContain('PLAIN-1.5');
    expect((await historyOf(api, body.id)).map((run) => run.state)).toEqual(['done', 'pending']);
  });
});
