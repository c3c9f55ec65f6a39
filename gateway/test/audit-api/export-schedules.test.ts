/**
 * Scheduled exports on the real engine and a real S3-compatible server: windows that join, whatever happens between; late
 * rows in a supplement; destinations that do not take it; the rules in every role; files that `export verify` accepts.
 */
import { createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditToken } from '../../src/audit-api/caller.ts';
import { openState } from '../../src/audit-api/state/state-file.ts';
import type { Destination } from '../../src/exports/destination.ts';
import { directoryDestination } from '../../src/exports/directory-destination.ts';
import { parseManifest, type Manifest } from '../../src/exports/manifest.ts';
import { s3Destination } from '../../src/exports/s3-destination.ts';
import { verifyManifests } from '../../src/exports/verify-files.ts';
import type { TestApi, TestApiOptions, TestCall, TestStore } from './api-under-test.ts';
import {
  NS,
  TOKENS,
  callIdAt,
  clickhouseTime,
  insertCalls,
  insertPayload,
  signingKeyPem,
  startTestApi,
  startTestStore,
} from './api-under-test.ts';
import { S3_KEYS, startBucket, type BucketUnderTest } from './bucket-under-test.ts';

const HOUR_MS = 3_600_000;
const START_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 5 * HOUR_MS;
const at = (hours: number): string => new Date(START_MS + hours * HOUR_MS).toISOString();

let store: TestStore;
let root: string;
let s3: BucketUnderTest;

beforeAll(async () => {
  store = await startTestStore();
  root = mkdtempSync(join(tmpdir(), 'gatelens-exports-'));
  s3 = await startBucket(join(root, 's3'));
});
afterAll(async () => {
  await s3.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

/** Of this test alone: each has a server name of its own. */
let mark = 0;
let server: string;
let directory: string;
let clock: { ms: number };
let state: DatabaseSync;
beforeEach(async () => {
  server = `server-${(mark += 1)}`;
  directory = join(root, `dir-${mark}`);
  mkdirSync(directory);
  clock = { ms: START_MS + 3 * HOUR_MS + 120_000 };
  state = openState(':memory:');
  await reports('gw', clock.ms);
});

let reported = 0;
/** What a gateway says of itself. */
async function reports(chain: string, atMs: number, oldestMs = 0): Promise<void> {
  reported += 1;
  const row = {
    at: clickhouseTime(BigInt(atMs) * NS + BigInt(reported)),
    component: 'gateway',
    chain_id: chain,
    oldest_unshipped_at: `${BigInt(oldestMs) * NS}`,
  };
  await store.admin.insert({ table: 'mcp.health', format: 'JSONEachRow', values: [row] });
}

const callAt = (hours: number, more: object = {}): TestCall => {
  const ms = Math.round(START_MS + hours * HOUR_MS);
  return { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email: 'ana@example.com', server, ...more };
};

function world(over: TestApiOptions = {}): TestApi {
  return startTestApi(store.reader, {
    wallMs: () => clock.ms,
    state,
    destinations: {
      configured: [
        { name: 'archive', type: 'directory', destination: directoryDestination(directory) },
        { name: 'bucket', type: 's3', destination: bucket() },
      ],
      allowPrivate: false,
    },
    ...over,
  });
}
function bucket(more: object = {}) {
  return s3Destination({
    endpoint: s3.url,
    region: 'us-east-1',
    bucket: 'audit',
    pathStyle: true,
    sse: 'none',
    allowPrivate: true,
    nowMs: () => clock.ms,
    credentials: () => Promise.resolve(S3_KEYS),
    ...more,
  });
}

function put(destination: Destination, pieces: readonly Buffer[]): Promise<void> {
  const content = (async function* () {
    yield* pieces;
  })();
  const { signal } = new AbortController();
  return destination.write('x', content, { contentType: 'a/b', idempotencyKey: 'k', compression: 'none', signal });
}

async function send(api: TestApi, method: string, path: string, body?: object, role = 'admin') {
  const answer = await api.api.request(`/api/v1/exports/${path}`, {
    method,
    headers: { Authorization: `Bearer ${role}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> & { id: string },
  };
}

const hourly = (more: object = {}): object => ({
  name: 'Every hour',
  filters: { server },
  timing: { every: 'hour' },
  destination: { type: 'configured', name: 'archive' },
  startFrom: at(0),
  ...more,
});

/** The same as a change: where the first window began is not in it. */
function changeOf(body: object): object {
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'startFrom'));
}

function files(): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(directory.length + 1))
    .sort();
}
const data = (): string[] => files().filter((name) => !name.endsWith('.manifest.json'));
const manifests = (): string[] => files().filter((name) => name.endsWith('.manifest.json'));
const idsIn = (name: string): string[] =>
  readFileSync(join(directory, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { call_id: string }).call_id);
const manifestOf = (name: string): Manifest => {
  const manifest = parseManifest(readFileSync(join(directory, name), 'utf8'));
  if (manifest === undefined) throw new Error('no manifest');
  return manifest;
};
const keys = [{ publicKey: createPublicKey(signingKeyPem) }];
const verified = async (): Promise<string[]> =>
  (
    await verifyManifests(
      manifests().map((name) => join(directory, name)),
      keys
    )
  ).flatMap(({ problems }) => problems);

describe('windows', () => {
  test('join without gap or overlap, each file with its signed manifest', async () => {
    const calls = [0, 0.5, 1, 1.999999, 2.5].map((hours) => callAt(hours));
    await insertCalls(store, calls);
    const api = world();
    const { status, body } = await send(api, 'POST', 'schedules', hourly());
    expect(status).toBe(201);
    await api.exporting.scheduler.tick();
    expect(data().map((name) => idsIn(name).length)).toEqual([2, 2, 1]);
    expect(data().flatMap(idsIn)).toEqual(calls.map(({ call_id }) => call_id));
    expect(manifests().map((name) => manifestOf(name).window)).toEqual(
      [0, 1, 2].map((hour) => ({
        from: at(hour).replace('.000Z', '.000000000Z'),
        to: at(hour + 1).replace('.000Z', '.000000000Z'),
      }))
    );
    expect(manifestOf(manifests()[0] ?? '')).toMatchObject({
      previous: null,
      rows: 2,
      chains: [{ rows: 2 }],
      filters: { server: [server] },
    });
    expect(await verified()).toEqual([]);
    const shown = await send(api, 'GET', `schedules/${body.id}`);
    expect(shown.body).toMatchObject({
      state: 'active',
      lastRun: { state: 'done', rows: 1 },
      timingInWords: 'every hour',
    });
    // nothing more is due
    await api.exporting.scheduler.tick();
    expect(data()).toHaveLength(3);
  });

  test('wait for a gateway that has not delivered, and say which; rows of one that was given up go into a supplement', async () => {
    const api = world();
    await reports('gw-slow', clock.ms, START_MS + 0.5 * HOUR_MS);
    const { body } = await send(api, 'POST', 'schedules', hourly());
    await api.exporting.scheduler.tick();
    expect(data()).toEqual([]);
    const held = await send(api, 'GET', `schedules/${body.id}`);
    expect(held.body).toMatchObject({
      state: 'held',
      heldBy: ['gw-slow'],
      stateReason: expect.stringContaining('gw-slow'),
    });
    await send(api, 'POST', `schedules/${body.id}/release`, { gateways: ['gw-slow'] });
    await insertCalls(store, [callAt(0.1)]);
    await api.exporting.scheduler.tick();
    expect(data()).toHaveLength(3);
    const late = callAt(0.2, { chain_id: 'gw-slow' });
    // delivered again, which is no news
    await insertCalls(store, [late]);
    clock.ms += 60_000;
    await api.exporting.scheduler.tick();
    expect(
      data()
        .filter((name) => name.includes('-late1'))
        .flatMap(idsIn)
    ).toEqual([late.call_id]);
    clock.ms += 60_000;
    await api.exporting.scheduler.tick();
    expect(data()).toHaveLength(4);
    expect(await verified()).toEqual([]);
    await reports('gw-slow', clock.ms);
  });

  test('are the same after downtime, an edit and an end in the middle: none twice, none left out', async () => {
    const calls = [0.5, 1.5, 2.5].map((hours) => callAt(hours));
    await insertCalls(store, calls);
    clock.ms = START_MS + HOUR_MS + 120_000;
    const first = world();
    const { body } = await send(first, 'POST', 'schedules', hourly());
    await first.exporting.scheduler.tick();
    expect(data()).toHaveLength(1);
    // as a process leaves it that is killed while it writes
    clock.ms = START_MS + 3 * HOUR_MS + 120_000;
    state.exec(`UPDATE export_runs SET state = 'running' WHERE state = 'pending'`);
    const half = join(directory, data()[0]?.replace(/[^/]+$/, '.half.part') ?? '');
    writeFileSync(half, '{"call_id":"torn');
    const second = world();
    const read = await send(second, 'GET', `schedules/${body.id}`);
    const content = changeOf(hourly({ compression: 'gzip' }));
    const changed = await send(second, 'PUT', `schedules/${body.id}`, { ...content, version: read.body.version });
    expect(changed.status).toBe(200);
    await second.exporting.scheduler.tick();
    rmSync(half);
    expect(data().map((name) => name.replace(/^.*\./, ''))).toEqual(['jsonl', 'gz', 'gz']);
    const rest = data()
      .slice(1)
      .flatMap((name) =>
        gunzipSync(readFileSync(join(directory, name)))
          .toString()
          .trim()
          .split('\n')
      );
    expect(rest.map((line) => (JSON.parse(line) as { call_id: string }).call_id)).toEqual(
      calls.slice(1).map((one) => one.call_id)
    );
    expect(await verified()).toEqual([]);
  });

  test('do not go backwards with the clock', async () => {
    const api = world();
    await send(api, 'POST', 'schedules', hourly());
    await api.exporting.scheduler.tick();
    clock.ms -= 10 * HOUR_MS;
    await api.exporting.scheduler.tick();
    expect(data()).toHaveLength(3);
  });
});

describe('verifying', () => {
  test('names what was changed, taken away or put in', async () => {
    await insertCalls(
      store,
      [0.5, 1.5].map((hours) => callAt(hours))
    );
    const api = world();
    await send(api, 'POST', 'schedules', hourly());
    await api.exporting.scheduler.tick();
    const [first = '', second = '', third = ''] = data();
    writeFileSync(join(directory, first), readFileSync(join(directory, first), 'utf8').replace('success', 'SUCCESS'));
    rmSync(join(directory, second));
    rmSync(join(directory, `${second}.manifest.json`));
    const forged = join(directory, `${third}.manifest.json`);
    writeFileSync(forged, readFileSync(forged, 'utf8').replace('"rows": 0', '"rows": 1'));
    expect((await verified()).join('\n')).toMatch(
      /is not what was exported[\s\S]*not signed by a key that was given[\s\S]*a window is missing/
    );
  });
});

describe('a destination', () => {
  test('in a bucket gets parts and manifest, and is tested by really writing, reading back and removing', async () => {
    const call = callAt(0.5);
    await insertCalls(store, [call]);
    const api = world();
    const answer = await send(api, 'POST', 'destinations/test', {
      destination: { type: 'configured', name: 'bucket' },
    });
    expect(answer.body).toMatchObject({
      ok: true,
      steps: [
        { step: 'write', state: 'ok' },
        { step: 'read', state: 'ok' },
        { step: 'remove', state: 'ok' },
      ],
    });
    await send(api, 'POST', 'schedules', hourly({ name: server, destination: { type: 'configured', name: 'bucket' } }));
    await api.exporting.scheduler.tick();
    const { body } = await send(api, 'GET', 'runs?limit=10');
    const items = (body.items as { objects: { name: string }[] }[]).reverse();
    const name = items[0]?.objects[0]?.name ?? '';
    expect((await bucket().read(name)).toString()).toContain(call.call_id);
    expect(parseManifest((await bucket().read(`${name}.manifest.json`)).toString())).toMatchObject({ rows: 1 });
  });

  test.each<[string, object, RegExp]>([
    [
      'unknown key',
      { credentials: () => Promise.resolve({ accessKeyId: 'nobody', secretAccessKey: 'x' }) },
      /Invalid|Denied/,
    ],
    ['no such bucket', { bucket: 'vanished' }, /NoSuchBucket.*Make it/],
    ['nobody there', { endpoint: 'http://127.0.0.1:9' }, /cannot be reached \(ECONNREFUSED\)/],
    ['a private address where that is forbidden', { allowPrivate: false }, /private network/],
  ])('with %s says so', async (_what, more, message) => {
    const destination = bucket(more);
    await expect(put(destination, [Buffer.from('x')])).rejects.toThrow(message);
  });

  test.each<[string, number, string, RegExp]>([
    ['a wrong secret', 403, 'SignatureDoesNotMatch', /SignatureDoesNotMatch, 403.*Set the credentials again/],
    ['no right to write', 403, 'AccessDenied', /AccessDenied, 403.*PutObject/],
    ['a storm of errors', 503, 'SlowDown', /SlowDown, 503.*again later/],
  ])('that answers %s is told with what to do, and without what else it said', async (_what, status, code, message) => {
    const fake = await listen(() => status, `<Error><Code>${code}</Code><Message>SECRET-REMARK</Message></Error>`);
    const error: unknown = await put(bucket({ endpoint: fake.url }), [Buffer.from('x')]).catch((one: unknown) => one);
    await fake.close();
    expect(error).toMatchObject({ name: 'DestinationProblem', message: expect.stringMatching(message) });
    expect(String(error)).not.toContain('SECRET-REMARK');
  });

  test('whose bucket vanishes in the middle keeps nothing half: the upload is aborted', async () => {
    const asked: string[] = [];
    const fake = await listen(
      (_headers, _body, request) => {
        asked.push(request);
        if (request.startsWith('POST') && request.includes('uploads')) return 200;
        return request.startsWith('DELETE') ? 204 : 404;
      },
      '<InitiateMultipartUploadResult><UploadId>up-1</UploadId></InitiateMultipartUploadResult>',
      '<Error><Code>NoSuchBucket</Code></Error>'
    );
    const big = Array.from({ length: 5 }, () => Buffer.alloc(4 * 1024 * 1024));
    await expect(put(bucket({ endpoint: fake.url }), big)).rejects.toThrow(/NoSuchBucket/);
    await fake.close();
    expect(asked.some((request) => request.startsWith('DELETE') && request.includes('uploadId=up-1'))).toBe(true);
  });

  test('sends what S3 wants for encryption and object lock', async () => {
    const seen: Record<string, unknown>[] = [];
    const fake = await listen((headers) => (seen.push(headers), 200));
    const destination = bucket({
      endpoint: fake.url,
      sse: 'aws:kms',
      kmsKeyId: 'key-1',
      objectLock: { mode: 'COMPLIANCE', days: 30 },
    });
    await put(destination, [Buffer.from('x')]);
    await fake.close();
    expect(seen[0]).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
      'x-amz-object-lock-mode': 'COMPLIANCE',
      'x-amz-object-lock-retain-until-date': new Date(clock.ms + 30 * 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z'),
      'x-amz-checksum-sha256': expect.stringMatching(/=$/),
    });
  });

  test('that cannot be written is tried again later, says why, and loses nothing', async () => {
    const call = callAt(0.5);
    await insertCalls(store, [call]);
    const api = world();
    const { body } = await send(api, 'POST', 'schedules', hourly());
    rmSync(directory, { recursive: true });
    await api.exporting.scheduler.tick();
    const failed = await send(api, 'GET', `schedules/${body.id}`);
    expect(failed.body).toMatchObject({ state: 'retrying', stateReason: expect.stringContaining('ENOENT') });
    mkdirSync(directory);
    // its time has not come
    await api.exporting.scheduler.tick();
    expect(data()).toEqual([]);
    await send(api, 'POST', `schedules/${body.id}/run`);
    await api.exporting.scheduler.tick();
    expect(data().flatMap(idsIn)).toEqual([call.call_id]);
    expect(await verified()).toEqual([]);
  });

  test('keeps files in: no link leads out', async () => {
    const outside = join(root, `outside-${mark}`);
    mkdirSync(outside);
    symlinkSync(outside, join(directory, 'Every-hour'));
    const api = world();
    const { body } = await send(api, 'POST', 'schedules', hourly());
    await api.exporting.scheduler.tick();
    expect(readdirSync(outside)).toEqual([]);
    const shown = await send(api, 'GET', `schedules/${body.id}`);
    expect(shown.body.stateReason).toContain('may lead out');
  });

  test('of NDJSON by POST gets each file once it takes it: 5xx is tried again under the same key', async () => {
    const call = callAt(0.5);
    await insertCalls(store, [call]);
    clock.ms = START_MS + HOUR_MS + 120_000;
    const got: { key: unknown; token: unknown; body: string }[] = [];
    const fake = await listen((headers, body) => {
      got.push({ key: headers['idempotency-key'], token: headers.authorization, body });
      return got.length < 3 ? 503 : 200;
    });
    const api = world({ destinations: { configured: [], allowPrivate: true } });
    const destination = { type: 'https', url: `${fake.url}/in`, token: 'tok-secret' };
    const { body } = await send(api, 'POST', 'schedules', hourly({ destination }));
    expect(JSON.stringify(body)).not.toContain('tok-secret');
    expect(body.destination).toEqual({ type: 'https', url: `${fake.url}/in`, credentialsSet: true });
    for (let round = 0; round < 3; round++) {
      await api.exporting.scheduler.tick();
      clock.ms += 2 * 60_000;
    }
    await fake.close();
    const pushed = got.filter((one) => one.body.includes(call.call_id));
    expect(pushed).toHaveLength(3);
    expect(new Set(pushed.map(({ key }) => key)).size).toBe(1);
    expect(pushed[0]?.token).toBe('Bearer tok-secret');
    expect(parseManifest(got.at(-1)?.body ?? '')).toMatchObject({ rows: 1 });
    // a secret never goes to another address than it was set for
    const content = changeOf(
      hourly({
        destination: { type: 'https', url: `${fake.url}/other` },
      })
    );
    const moved = await send(api, 'PUT', `schedules/${body.id}`, { ...content, version: 1 });
    expect(moved.body.destination).toMatchObject({ credentialsSet: false });
  });

  test('that somebody types stays out of private networks', async () => {
    const api = world();
    for (const url of [
      'https://127.0.0.1/x',
      'https://169.254.169.254/latest',
      'https://localhost/x',
      'http://example.com/x',
    ]) {
      const answer = await send(api, 'POST', 'destinations/test', { destination: { type: 'https', url } });
      expect(answer.body, url).toMatchObject({ ok: false });
      expect(JSON.stringify(answer.body)).toMatch(/private network|Only https/);
    }
  });

  test('is encrypted to, for its recipients alone', async () => {
    const call = callAt(0.5);
    await insertCalls(store, [call]);
    const identity = await generateX25519Identity();
    const api = world();
    await send(api, 'POST', 'schedules', hourly({ recipients: [await identityToRecipient(identity)] }));
    await api.exporting.scheduler.tick();
    const [name = ''] = data();
    expect(name).toMatch(/\.jsonl\.age$/);
    const bytes = readFileSync(join(directory, name));
    expect(bytes.toString('latin1')).not.toContain(call.call_id);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    expect(await decrypter.decrypt(bytes, 'text')).toContain(call.call_id);
    expect(await verified()).toEqual([]);
    const wrong = await send(api, 'POST', 'schedules', hourly({ recipients: [`age1${'q'.repeat(58)}`] }));
    expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([400, expect.stringContaining('recipients')]);
  });
});

describe('a schedule with payloads', () => {
  const withPayloads = (more: object = {}): object =>
    hourly({ payloads: true, columns: ['call_id', 'server'], ...more });

  test('is made, changed, let go on and removed by auditors only; an admin pauses it', async () => {
    const api = world();
    expect((await send(api, 'POST', 'schedules', withPayloads())).status).toBe(403);
    const { status, body } = await send(api, 'POST', 'schedules', withPayloads(), 'auditor');
    expect(status).toBe(201);
    const path = `schedules/${body.id}`;
    const content = changeOf(withPayloads());
    for (const change of [
      { destination: { type: 'configured', name: 'bucket' } },
      { payloads: false },
      { filters: {} },
      { columns: ['call_id'] },
    ]) {
      expect((await send(api, 'PUT', path, { ...content, ...change, version: 1 })).status).toBe(403);
    }
    expect((await send(api, 'DELETE', path)).status).toBe(403);
    const shown = await send(api, 'GET', path);
    expect(shown.body).toMatchObject({ mayChange: false, mayPause: true });
    expect((await send(api, 'POST', `${path}/pause`)).body).toMatchObject({ state: 'paused' });
    expect((await send(api, 'POST', `${path}/resume`)).status).toBe(403);
    expect((await send(api, 'POST', `${path}/resume`, undefined, 'auditor')).status).toBe(200);
    expect((await send(api, 'GET', path, undefined, 'viewer')).status).toBe(403);
    expect(
      api.recorded.map(({ action, decision, detail }) => `${action} ${decision} ${String(detail?.change ?? '')}`)
    ).toEqual(
      expect.arrayContaining([
        'export.change allowed add',
        'export.change allowed pause',
        'export.change allowed resume',
        'export.change refused ',
      ])
    );
    expect((await send(api, 'DELETE', path, undefined, 'auditor')).status).toBe(204);
  });

  test('opens payloads of its owner’s servers, records it first, and stops when its owner is Auditor no longer', async () => {
    server = 'github';
    const call = callAt(0.4 + mark / 1000);
    const sealed = await insertPayload(store, call, { request: '{"marker":"PLAIN-7"}', response: '{}' });
    await insertCalls(store, [{ ...call, ...sealed }]);
    let tokens: readonly AuditToken[] = TOKENS;
    clock.ms = START_MS + HOUR_MS + 120_000;
    const api = world({ tokens: () => tokens });
    const { body } = await send(
      api,
      'POST',
      'schedules',
      withPayloads({ filters: { server: ['github', 'hr'] } }),
      'auditor-of-github'
    );
    await api.exporting.scheduler.tick();
    expect(readFileSync(join(directory, data()[0] ?? ''), 'utf8')).toContain('PLAIN-7');
    expect(api.recorded.find(({ action }) => action === 'export.payloads')).toMatchObject({
      actorName: 'gh',
      detail: { phase: 'started', schedule: body.id },
    });
    tokens = TOKENS.map((token) => (token.name === 'gh' ? { ...token, role: 'admin' as const } : token));
    clock.ms += HOUR_MS;
    await api.exporting.scheduler.tick();
    expect(data()).toHaveLength(1);
    expect((await send(api, 'GET', `schedules/${body.id}`)).body).toMatchObject({ state: 'stopped' });
  });

  test('gives nothing out when that cannot be recorded', async () => {
    const api = world({
      record: (entry) => (entry.action === 'export.payloads' ? Promise.reject(new Error('full')) : Promise.resolve()),
    });
    await send(api, 'POST', 'schedules', withPayloads(), 'auditor');
    await api.exporting.scheduler.tick();
    expect(files()).toEqual([]);
  });
});

test.each<[string, object, string]>([
  ['a path that climbs', { objectName: '../{from}{supplement}-{part}' }, 'objectName'],
  ['a time zone that is none', { timeZone: 'Mars/Olympus' }, 'timing'],
  ['a destination that is none', { destination: { type: 'configured', name: 'nowhere' } }, 'destination'],
  ['a bucket without credentials', { destination: { type: 's3', bucket: 'audit' } }, 'destination'],
  [
    'Parquet by POST',
    { format: 'parquet', destination: { type: 'https', url: 'https://siem.example.com/' } },
    'format',
  ],
  [
    'a password in an address, which would be shown',
    { destination: { type: 'https', url: 'https://siem:hunter2@siem.example.com/' } },
    'destination',
  ],
  ['Parquet with gzip', { format: 'parquet', compression: 'gzip' }, 'compression'],
])('%s is refused when it is saved', async (_what, more, field) => {
  const { status, body } = await send(world(), 'POST', 'schedules', hourly(more));
  expect([status, (body as { error?: { fields?: { field: string }[] } }).error?.fields?.[0]?.field]).toEqual([
    400,
    field,
  ]);
});

interface Fake {
  readonly url: string;
  close(): Promise<void>;
}
/** @param said body of every answer, of failures only `saidOnFailure` */
async function listen(
  answer: (headers: Record<string, unknown>, body: string, request: string) => number,
  said = '',
  saidOnFailure = said
): Promise<Fake> {
  const fake: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const status = answer(request.headers, body, `${request.method ?? ''} ${request.url ?? ''}`);
      response.writeHead(status, { etag: '"x"' }).end(status < 300 ? said : saidOnFailure);
    });
  });
  await new Promise<void>((ready) => fake.listen(0, '127.0.0.1', ready));
  const { port } = fake.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((done) => {
        fake.close(() => done());
        fake.closeAllConnections();
      }),
  };
}
