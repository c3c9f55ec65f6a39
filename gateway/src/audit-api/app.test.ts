import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { LogFields } from '../logger.ts';
import type { AccessEntry } from '../record/access.ts';
import type { CallDetailRow } from '../store/queries/call-row.ts';
import type { QueryOptions, StoreReader } from '../store/queries/reader.ts';
import { createAuditApi } from './app.ts';
import type { CallPage } from './contract.ts';
import type { AuditApiDeps } from './deps.ts';
import { createSecretKey } from 'node:crypto';
import type { PayloadOpener } from '../protection/payload-opener.ts';
import { assembleExports } from './exports/assembly.ts';
import { openState } from './state/state-file.ts';
import { createRefusalLog, REFUSALS_A_MINUTE } from './refusal-log.ts';

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const DAY_MS = 86_400_000;
const RETENTION = {
  metadata: 400 * DAY_MS,
  payloads: 90 * DAY_MS,
  accessLog: 2555 * DAY_MS,
  usage: 1096 * DAY_MS,
  traces: 3 * DAY_MS,
};
const NOW_MS = Date.parse('2026-11-24T08:00:00Z');
const SECRET_BODY = 'MARKER-payload-7f3a';
const CT = Buffer.from('ciphertext');

const CALL: CallDetailRow = {
  call_id: '019a1b2c-3d4e-7f00-8abc-0123456789ab',
  parent_call_id: '',
  record_version: 1,
  kind: 'request',
  phase: 'closed',
  chain_id: 'gw-1',
  seq_text: '18446744073709551615',
  record_hash: 'f'.repeat(64),
  started_ns: '1795507200123456789',
  ingested_ms: '1795507201000',
  duration: '1500000',
  upstream_duration: 1_000_000,
  ttfb: 500_000,
  upstream_attempts: 1,
  upstream_transport: 'http',
  user_key: 'user:ana@example.com',
  auth_method: 'api_key',
  key_name: 'ci',
  teams: ['dev'],
  client_name: 'claude',
  client_version: '1',
  client_address: '127.0.0.1',
  server: 'hr',
  operation: 'tools/call',
  tool: 'search',
  prompt: '',
  resource_uri: '',
  rpc_id: '7',
  session_key: '',
  session_kind: 'none',
  protocol_version: '2025-11-25',
  trace_id: 't',
  span_id: 's',
  outcome: 'success',
  error_type: '',
  error_code: 0,
  http_status: 200,
  request_bytes: 10,
  response_bytes: 20,
  tokens_estimated: 5,
  capture_mode: 'full',
  payload_state: 'sealed',
  request_sha256: sha256(CT),
  response_sha256: sha256(CT),
  policy_rule: '',
  denied_by: '',
  demo: false,
  attributes: { 'network.transport': 'tcp' },
};

interface World {
  calls?: CallDetailRow[];
  sealed?: unknown[];
  keys?: unknown[];
  fail?: Error;
  recorderFails?: boolean;
  opener?: PayloadOpener;
}

function sealedRow(direction: string, over: object = {}): object {
  const base = { direction, v: 1, alg: 'A256GCM', key_id: 'k1', nonce: 'AAAAAAAAAAAAAAAA', comp: 'none', digest: 'd' };
  return { ...base, ciphertext_base64: CT.toString('base64'), sha256: sha256(CT), ...over };
}
const KEY = {
  key_id: 'k1',
  subject: 'u',
  gateway: 'g',
  epoch: '2026-11',
  kek_id: 'kek',
  wrapped_base64: 'AA==',
  destroyed: false,
};

const OPENER: PayloadOpener = {
  unwrap: () => Promise.resolve({ keyId: 'k1', key: createSecretKey(Buffer.alloc(32)) }),
  open: (_envelope, { direction }) => ({
    head: {
      format: 'json',
      headers: [['x-test', direction]],
      bytes: 1000,
      truncated: direction === 'response',
      redacted: ['$.token'],
      mode: 'full',
    },
    body: direction === 'request' ? Buffer.from(SECRET_BODY) : Uint8Array.of(0xff, 0x00),
  }),
};

function start(world: World = {}) {
  const queries: { sql: string; params: Readonly<Record<string, unknown>> }[] = [];
  const recorded: AccessEntry[] = [];
  const logged: { event: string; fields: LogFields | undefined }[] = [];
  const clock = { ms: NOW_MS };
  const rowsFor = (sql: string): unknown[] => {
    if (sql.includes('payload_events')) return world.sealed ?? [sealedRow('request'), sealedRow('response')];
    if (sql.includes('data_keys')) return world.keys ?? [KEY];
    if (sql.includes('mcp.calls')) return world.calls ?? [CALL];
    return [];
  };
  const store: StoreReader = {
    query<Row>(sql: string, params: Readonly<Record<string, unknown>>, options?: QueryOptions): Promise<Row[]> {
      queries.push({ sql, params });
      if (world.fail !== undefined) return Promise.reject(world.fail);
      options?.signal?.throwIfAborted();
      return Promise.resolve(rowsFor(sql) as Row[]);
    },
  };
  const log = (event: string, fields?: LogFields): void => void logged.push({ event, fields });
  const shared = {
    accessRecorder: {
      record: (entry: AccessEntry) => {
        if (world.recorderFails === true) return Promise.reject(new Error('disk full'));
        recorded.push(entry);
        return Promise.resolve();
      },
    },
    opener: world.opener ?? OPENER,
    clock: { wallMs: () => clock.ms, monotonicMs: () => clock.ms },
    logger: { info: log, warn: log, error: log },
    version: '0.0.0-test',
    retention: RETENTION,
    state: openState(':memory:'),
  };
  const exporting = assembleExports({
    ...shared,
    pseudonyms: { hash: (purpose, value) => `${purpose}:${String(value)}` },
    tokens: () => [],
    destinations: { configured: [], allowPrivate: false },
    secretKey: new Uint8Array(32),
    store,

    streams: {
      stream: async function* () {
        yield Buffer.from('{}\n');
      },
    },
    signer: { keyId: 'k', sign: () => '' },
    signingKeyPem: '',
  });
  const deps: AuditApiDeps = {
    ...shared,
    store,
    exporting,
    pseudonyms: { hash: (purpose, value) => `${purpose}:${String(value)}` },
    tokens: () => [
      { name: 'ana', role: 'viewer', user: 'ana@example.com', sha256: sha256('viewer') },
      { name: 'nobody', role: 'viewer', sha256: sha256('nobody') },
      { name: 'boss', role: 'admin', sha256: sha256('admin') },
      { name: 'siem', role: 'auditor', sha256: sha256('auditor') },
      { name: 'gh', role: 'auditor', servers: ['github'], sha256: sha256('github-auditor') },
      { name: 'gone', role: 'admin', sha256: sha256('expired'), expires: '2026-01-01' },
    ],
    configuredServers: ['hr'],
  };
  const api = createAuditApi(deps);
  const get = (path: string, token?: string): Promise<Response> =>
    Promise.resolve(api.request(path, token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }));
  return { get, deps, queries, recorded, logged, clock };
}

const PAYLOAD = `/api/v1/calls/${CALL.call_id}/payload`;

describe('a payload', () => {
  test('is given to an auditor after the reading was recorded', async () => {
    const { get, recorded } = start();
    const answer = await get(PAYLOAD, 'auditor');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      callId: CALL.call_id,
      state: 'sealed',
      request: {
        state: 'opened',
        sha256: sha256(CT),
        digest: 'd',
        mode: 'full',
        format: 'json',
        headers: [['x-test', 'request']],
        bytes: 1000,
        truncated: false,
        redacted: ['$.token'],
        bodyText: SECRET_BODY,
      },
      response: expect.objectContaining({ state: 'opened', truncated: true, bodyBase64: '/wA=' }) as unknown,
    });
    expect(recorded).toEqual([
      {
        action: 'payload.read',
        decision: 'allowed',
        actorKey: '',
        actorKind: 'token',
        actorName: 'siem',
        roles: ['auditor'],
        clientAddress: '',
        startedMs: NOW_MS,
        targetCallId: CALL.call_id,
        targetUserKey: 'user:ana@example.com',
        targetServer: 'hr',
        rows: 1,
        bytes: SECRET_BODY.length + 2,
      },
    ]);
  });

  test('is not given, not one byte of it, when the reading cannot be recorded', async () => {
    const { get, logged } = start({ recorderFails: true });
    const answer = await get(PAYLOAD, 'auditor');
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'not_recorded', reason: 'not_recorded' } });
    expect(text).not.toContain('MARKER');
    expect(text).not.toContain('/wA=');
    expect(JSON.stringify(logged)).not.toContain('MARKER');
    expect(logged.map(({ event }) => event)).toContain('access_record_failed');
  });

  test('waits for the record to be durable', async () => {
    let durable = (): void => undefined;
    const record = new Promise<void>((resolve) => (durable = resolve));
    const api = createAuditApi({ ...start().deps, accessRecorder: { record: () => record } });
    let answered = false;
    const answer = Promise.resolve(api.request(PAYLOAD, { headers: { Authorization: 'Bearer auditor' } })).then(
      (got) => {
        answered = true;
        return got;
      }
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    durable();
    expect((await answer).status).toBe(200);
  });

  test.each([
    ['viewer', 'not_auditor'],
    ['admin', 'not_auditor'],
    ['github-auditor', 'other_server'],
    ['nobody', 'no_identity'],
  ])('is refused to %s, and the refusal is recorded', async (token, reason) => {
    const { get, recorded, queries } = start();
    const answer = await get(PAYLOAD, token);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: 'forbidden', reason } });
    expect(recorded).toMatchObject([{ action: 'payload.read', decision: 'refused', reason }]);
    expect(queries.filter(({ sql }) => sql.includes('mcp_protected'))).toEqual([]);
  });

  test('is refused to an admin in the same words whether the call exists or not', async () => {
    const there = await (await start().get(PAYLOAD, 'admin')).text();
    const missing = await (await start({ calls: [] }).get(PAYLOAD, 'admin')).text();
    expect(missing).toBe(there);
  });

  test.each([
    ['the data key was destroyed', { keys: [{ ...KEY, destroyed: true, wrapped_base64: '' }] }, 'key_destroyed'],
    ['the data key is not there', { keys: [] }, 'key_unavailable'],
    ['the ciphertext is another', { sealed: [sealedRow('request', { ciphertext_base64: 'AAAA' })] }, 'damaged'],
    ['the envelope is of a later version', { sealed: [sealedRow('request', { v: 2 })] }, 'damaged'],
    ['it was not delivered yet', { sealed: [] }, 'missing'],
    ['it was kept long enough', { sealed: [], calls: [{ ...CALL, started_ns: '1700000000000000000' }] }, 'expired'],
    ['it does not open', { opener: { ...OPENER, open: () => expect.fail('bad tag') } }, 'damaged'],
    ['nothing was kept', { calls: [{ ...CALL, payload_state: 'off', request_sha256: '' }] }, 'none'],
  ] as [string, World, string][])('says so when %s', async (_why, world, state) => {
    const { get, recorded } = start(world);
    const answer = await get(PAYLOAD, 'auditor');
    expect(answer.status).toBe(200);
    const { request } = (await answer.json()) as { request: object };
    expect(request).toMatchObject({ state });
    expect(Object.keys(request)).not.toContain('bodyText');
    expect(recorded).toHaveLength(1);
    expect(recorded[0]).toMatchObject(state.startsWith('key_') ? { decision: 'refused', reason: state } : { bytes: 0 });
  });
});

describe('a call that is not there', () => {
  test.each(['viewer', 'admin', 'auditor'])('is a 404 for %s', async (token) => {
    const { get } = start({ calls: [] });
    const answer = await get('/api/v1/calls/unknown', token);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ error: { code: 'not_found', message: expect.any(String) as string } });
  });

  test('is asked for within the scope of a viewer', async () => {
    const { get, queries } = start({ calls: [] });
    await get(`/api/v1/calls/${CALL.call_id}`, 'viewer');
    expect(queries).toHaveLength(2);
    for (const { sql, params } of queries) {
      expect(sql).toContain('user_key = {ownUserKey:String}');
      expect(params.ownUserKey).toBe('user:ana@example.com');
    }
  });
});

describe('a search that takes long', () => {
  test('gives out what it found, says how far it came, and goes on from there', async () => {
    const world = start({ calls: [] });
    const slow: StoreReader = {
      query: (...asked) => {
        world.clock.ms += 3000;
        return world.deps.store.query(...asked);
      },
    };
    const api = createAuditApi({ ...world.deps, store: slow, clock: { ...world.deps.clock, wallMs: () => NOW_MS } });
    const list = async (query: string): Promise<CallPage> =>
      (await (
        await api.request(`/api/v1/calls?q=needle${query}`, { headers: { Authorization: 'Bearer admin' } })
      ).json()) as CallPage;
    const first = await list('');
    expect(first).toMatchObject({ items: [], searchedTo: '2026-11-23T08:00:00.000000000Z', cutBy: 'time' });
    expect(world.queries).toHaveLength(2);
    const second = await list(`&cursor=${first.nextCursor}`);
    expect(second.searchedTo).toBe('2026-11-22T08:00:00.000000001Z');
    expect(world.queries[2]?.params).toMatchObject({ toNs: String(BigInt(NOW_MS - 86_400_000) * 1_000_000n + 1n) });
  });
});

describe('a page in the middle of which the store reaches a limit', () => {
  test.each([
    ['158', 'rows'],
    ['159', 'time'],
    ['241', 'memory'],
  ])('of %s is given out as far as it came, and says so', async (code, cutBy) => {
    const world = start({ calls: [] });
    let asked = 0;
    const limited: StoreReader = {
      query: (...question) => {
        asked += 1;
        if (asked > 2) return Promise.reject(Object.assign(new Error('limit'), { code }));
        return world.deps.store.query(...question);
      },
    };
    const api = createAuditApi({ ...world.deps, store: limited });
    const answer = await api.request('/api/v1/calls?q=needle', { headers: { Authorization: 'Bearer admin' } });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ items: [], cutBy, searchedTo: '2026-11-23T08:00:00.000000000Z' });
  });
});

describe('parameters', () => {
  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=', 'limit'],
    ['from=yesterday', 'from'],
    ['from=2026-02-30T00:00:00Z', 'from'],
    ['from=now&to=now-1h', 'from'],
    ['from=now-1h&from=now-2h', 'from'],
    ['to=now%2B1h', 'to'],
    ['outcome=failed', 'outcome'],
    ['outcome=success&outcome=', 'outcome'],
    ['kind=access', 'kind'],
    ['server=', 'server'],
    [`tool=${'x'.repeat(10_000)}`, 'tool'],
    ['servr=github', 'servr'],
    ['notTraceId=a', 'notTraceId'],
    ['%27%3BDROP=1', '(unreadable)'],
    ['cursor=AAAA', 'cursor'],
    ['cursor=%00', 'cursor'],
    ['demo=only', 'demo'],
    ['notOutcome=failed', 'notOutcome'],
    ['notServer=', 'notServer'],
    ['minDurationMs=fast', 'minDurationMs'],
    ['minDurationMs=-1', 'minDurationMs'],
    ['maxDurationMs=1e11', 'maxDurationMs'],
    ['minDurationMs=2&maxDurationMs=1', 'minDurationMs'],
    [`q=${'x'.repeat(201)}`, 'q'],
    ['q=a%20b%20c%20d%20e%20f%20g%20h%20i', 'q'],
    ['q=a&q=b', 'q'],
    ['server!=github', '(unreadable)'],
    [Array.from({ length: 51 }, (_, n) => `user=u${n}`).join('&'), 'user'],
  ])('that are wrong give 400 with the field: %.40s', async (query, field) => {
    const { get, queries } = start();
    const answer = await get(`/api/v1/calls?${query}`, 'admin');
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: { fields: { field: string; message: string }[] } };
    expect(error.fields[0]?.field).toBe(field);
    expect(error.fields[0]?.message).not.toBe('');
    expect(JSON.stringify(error)).not.toContain('DROP');
    expect(queries).toEqual([]);
  });

  test('are bound, never part of the SQL', async () => {
    const hostile = `') OR 1=1; DROP TABLE mcp.calls -- \u0000 \u202e \\`;
    const { get, queries } = start();
    const value = encodeURIComponent(hostile);
    expect((await get(`/api/v1/calls?server=${value}&tool=${value}&tool=b&user=${value}`, 'admin')).status).toBe(200);
    expect(queries.length).toBeGreaterThan(0);
    for (const { sql } of queries) expect(sql).not.toContain('DROP');
    const list = queries.find(({ sql }) => sql.includes('mcp.calls'));
    expect(list?.params).toMatchObject({ only_server: [hostile], only_tool: [hostile, 'b'] });
  });

  test('of a viewer cannot reach other people: refused, recorded, nothing asked', async () => {
    const { get, queries, recorded } = start();
    for (const user of [
      'bob@example.com',
      'bob',
      'nobody',
      '(none)',
      'key:ci',
      'a'.repeat(32),
      'ana@example.com&user=bob',
    ]) {
      const answer = await get(`/api/v1/calls?user=${user}`, 'viewer');
      expect({ user, status: answer.status }).toEqual({ user, status: 403 });
      expect(await answer.json()).toMatchObject({ error: { code: 'forbidden', reason: 'other_user' } });
    }
    expect(queries).toEqual([]);
    expect(recorded).toHaveLength(7);
    expect(recorded[0]).toMatchObject({
      action: 'calls.read',
      decision: 'refused',
      reason: 'other_user',
      actorKey: 'user:ana@example.com',
      roles: ['viewer'],
    });
    for (const own of [' Ana@Example.com', 'ana@example.com&user=ANA@example.com', '']) {
      expect((await get(`/api/v1/calls?${own === '' ? '' : `user=${own}`}`, 'viewer')).status).toBe(200);
    }
  });
});

describe('callers', () => {
  test.each([
    [undefined, 'anonymous'],
    ['guess', 'unknown_token'],
    ['expired', 'expired_token'],
  ])('%s get 401 everywhere but on public routes, and are recorded', async (token, reason) => {
    const { get, recorded, queries } = start();
    for (const path of ['/api/v1/me', '/api/v1/calls', PAYLOAD, '/api/v1/usage/summary', '/nowhere']) {
      const answer = await get(path, token);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await answer.json()).toMatchObject({ error: { code: 'unauthenticated', reason } });
    }
    expect(recorded).toHaveLength(5);
    expect(recorded[0]).toMatchObject({ action: 'authenticate', decision: 'refused', reason });
    expect(recorded[0]?.actorName).toBe(token === 'expired' ? 'gone' : '');
    expect(queries).toEqual([]);
    expect((await get('/api/v1/openapi.json', token)).status).toBe(200);
    expect((await get('/healthz', token)).status).toBe(200);
  });

  test('who try for ever fill no disk: the rest is counted into the next record', async () => {
    const { get, recorded, clock } = start();
    for (let n = 0; n < REFUSALS_A_MINUTE + 7; n++) expect((await get('/api/v1/me', 'guess')).status).toBe(401);
    expect(recorded).toHaveLength(REFUSALS_A_MINUTE);
    clock.ms += 60_000;
    await get('/api/v1/me', 'guess');
    expect(recorded.at(-1)?.detail).toEqual({ suppressed: 7 });
  });

  test('who flood it hide nobody else, and what was only counted is recorded once the minute is over', async () => {
    const { deps, recorded, clock } = start();
    const refusals = createRefusalLog({ recorder: deps.accessRecorder, clock: deps.clock, logger: deps.logger });
    const probe = (actorKey: string): Promise<void> =>
      refusals.refused({ action: 'calls.read', reason: 'not_own', actorKind: 'grafana', actorKey, roles: ['viewer'] });
    for (let n = 0; n < REFUSALS_A_MINUTE + 7; n++) await probe('mallory');
    await probe('trudy');
    expect(recorded.at(-1)).toMatchObject({ actorKey: 'trudy', reason: 'not_own' });
    await refusals.settle();
    expect(recorded).toHaveLength(REFUSALS_A_MINUTE + 1);
    clock.ms += 60_000;
    await refusals.settle();
    await refusals.settle();
    expect(recorded).toHaveLength(REFUSALS_A_MINUTE + 2);
    expect(recorded.at(-1)).toMatchObject({ actorKey: 'mallory', decision: 'refused', detail: { suppressed: 7 } });
    for (let n = 0; n < REFUSALS_A_MINUTE + 1; n++) await probe('mallory');
    await refusals.settle({ all: true });
    expect(recorded.at(-1)?.detail).toEqual({ suppressed: 1 });
  });

  test('are refused all the same when the refusal cannot be recorded', async () => {
    const { get, logged } = start({ recorderFails: true });
    expect((await get('/api/v1/me', 'guess')).status).toBe(401);
    expect(logged).toMatchObject([{ event: 'access_record_failed' }]);
    expect(JSON.stringify(logged)).not.toContain('guess');
  });

  test('who stand for nobody see nothing, and learn why', async () => {
    const { get, queries } = start();
    expect(await (await get('/api/v1/me', 'nobody')).json()).toMatchObject({
      user: null,
      nothingBecause: 'no_identity',
    });
    for (const path of ['/api/v1/calls', `/api/v1/calls/${CALL.call_id}`, '/api/v1/usage/summary']) {
      const answer = await get(path, 'nobody');
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error: { reason: 'no_identity' } });
    }
    expect(queries).toEqual([]);
  });
});

describe('the store', () => {
  const withCode = (code: string): Error =>
    Object.assign(new Error(`Code: ${code}. SELECT secret FROM mcp.calls`), { code });

  test.each([
    ['159', 504, 'timeout', 'time'],
    ['158', 422, 'too_large', 'rows'],
    ['241', 422, 'too_large', 'memory'],
    ['62', 500, 'internal'],
    ['ECONNREFUSED', 503, 'store_unavailable'],
    ['516', 503, 'store_unavailable'],
  ])('failing with %s is a %i without SQL', async (code, status, expected, limit?: string) => {
    const { get, logged } = start({ fail: withCode(code) });
    const answer = await get('/api/v1/calls', 'admin');
    expect(answer.status).toBe(status);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: expected } });
    expect((JSON.parse(text) as { error: { limit?: string } }).error.limit).toBe(limit);
    expect(text + JSON.stringify(logged)).not.toContain('SELECT');
    expect(logged).toMatchObject([{ event: 'store_query_failed', fields: { store_code: code } }]);
  });

  test('that is away makes /healthz a 503', async () => {
    expect((await start({ fail: withCode('ECONNREFUSED') }).get('/healthz')).status).toBe(503);
  });

  test('is told when the caller goes away', async () => {
    let signal: AbortSignal | undefined;
    const world = start();
    const waiting: StoreReader = {
      query: (_sql, _params, options) =>
        new Promise((_resolve, reject) => {
          signal = options?.signal;
          signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    };
    const leaving = new AbortController();
    const answer = createAuditApi({ ...world.deps, store: waiting }).request('/api/v1/calls', {
      headers: { Authorization: 'Bearer admin' },
      signal: leaving.signal,
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(signal?.aborted).toBe(false);
    leaving.abort();
    await answer;
    expect(signal?.aborted).toBe(true);
    expect(world.logged).toEqual([]);
  });
});

test('every answer carries the security headers and none allows another origin', async () => {
  const { get } = start();
  for (const [path, token] of [
    ['/api/v1/me', 'admin'],
    ['/api/v1/calls?limit=0', 'admin'],
    ['/api/v1/me', undefined],
    ['/nowhere', 'admin'],
    ['/healthz', undefined],
  ] as const) {
    const { headers } = await get(path, token);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('access-control-allow-origin')).toBeNull();
  }
});

test('a call comes out with exact times and positions', async () => {
  const { get } = start();
  expect(await (await get(`/api/v1/calls/${CALL.call_id}`, 'viewer')).json()).toMatchObject({
    id: CALL.call_id,
    startedAt: '2026-11-24T08:00:00.123456789Z',
    ingestedAt: '2026-11-24T08:00:01.000Z',
    seq: '18446744073709551615',
    durationMs: 1.5,
    user: { key: 'user:ana@example.com', email: 'ana@example.com' },
    prompt: null,
    errorCode: null,
    payload: { state: 'sealed', visible: false, hiddenBecause: 'not_auditor' },
    attributes: { 'network.transport': 'tcp' },
  });
});
