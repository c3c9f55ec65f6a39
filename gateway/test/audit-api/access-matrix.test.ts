/**
 * The access matrix of the product on the real engine: every role at every endpoint of the OpenAPI document, for one's
 * own call, somebody else's, and one on a server outside an auditor's scope. A route without a row here fails.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { directoryDestination } from '../../src/exports/directory-destination.ts';
import type { QueryOptions } from '../../src/store/queries/reader.ts';
import { openApiDocument } from '../../src/audit-api/openapi.ts';
import type { TestApi, TestCall, TestStore } from './api-under-test.ts';
import type { FakeGrafana, Person } from './fake-grafana.ts';
import { startFakeGrafana } from './fake-grafana.ts';
import {
  NS,
  callIdAt,
  clickhouseTime,
  insertCalls,
  insertPayload,
  insertPrincipals,
  startTestApi,
  startTestStore,
  userKey,
} from './api-under-test.ts';

const NOW_MS = Date.now();
const MARKER = 'MARKER-9c41';

const ROLES = [
  'anonymous',
  'unknown',
  'expired',
  'viewer without identity',
  'viewer',
  'admin',
  'auditor',
  'auditor of github',
] as const;
type Role = (typeof ROLES)[number];

/** Who comes through Grafana, and which token has the same rights. */
const LIKE = {
  'grafana viewer': 'viewer',
  'grafana editor': 'viewer',
  'grafana viewer with password': 'viewer without identity',
  'grafana admin': 'admin',
  'grafana viewer, owner team': 'admin',
  'grafana viewer, auditor': 'auditor',
  'grafana admin, auditor': 'auditor',
  'grafana viewer, auditor of github': 'auditor of github',
  'grafana admin without secret': 'anonymous',
  'grafana anonymous': 'anonymous',
} as const satisfies Record<string, Role>;
type GrafanaRole = keyof typeof LIKE;
const GRAFANA_ROLES = Object.keys(LIKE) as GrafanaRole[];

const PEOPLE: Readonly<Record<GrafanaRole, Person>> = {
  'grafana viewer': person(1, 'Viewer'),
  'grafana editor': person(2, 'Editor'),
  'grafana viewer with password': { ...person(3, 'Viewer'), authenticatedBy: 'password' },
  'grafana admin': person(4, 'Admin'),
  'grafana viewer, owner team': person(5, 'Viewer', 'Owners'),
  'grafana viewer, auditor': person(6, 'Viewer', 'Security Audit'),
  'grafana admin, auditor': person(7, 'Admin', 'Security Audit'),
  'grafana viewer, auditor of github': person(8, 'Viewer', 'GitHub Audit'),
  'grafana admin without secret': person(9, 'Admin', 'Security Audit'),
  'grafana anonymous': person(10, 'Viewer'),
};

function person(id: number, role: string, ...teams: string[]): Person {
  return { id, login: `login${id}`, email: 'ana@example.com', role, teams };
}

const SUBJECTS = ['own', 'other', 'foreign', 'missing'] as const;
type Subject = (typeof SUBJECTS)[number];

/** Hex, as they are in life. */
const sessionKey = (name: string): string => Buffer.from(name).toString('hex');

function call(email: string, server: string, ageMs: number): TestCall {
  const ms = NOW_MS - ageMs;
  return {
    call_id: callIdAt(ms),
    startedNs: BigInt(ms) * NS,
    email,
    server,
    session_key: sessionKey(`session-${email}-${server}`),
  };
}
/** Own means: of ana, who is the viewer and the admin. Foreign: on a server that the second auditor does not cover. */
const CALLS: Record<Exclude<Subject, 'missing'>, TestCall> = {
  own: call('ana@example.com', 'github', 1000),
  other: call('bob@example.com', 'github', 2000),
  foreign: call('bob@example.com', 'hr', 3000),
};
const keyOf = (subject: Subject): string => (subject === 'missing' ? 'nowhere' : String(CALLS[subject].session_key));
const idOf = (subject: Subject): string => (subject === 'missing' ? callIdAt(NOW_MS) : CALLS[subject].call_id);

type Expected = number | Readonly<Record<Subject, number>>;
type Row = Readonly<Record<Role, Expected> & Partial<Record<GrafanaRole, Expected>>>;
const NOBODY = { anonymous: 401, unknown: 401, expired: 401 } as const;
const SEES_OWN = { own: 200, other: 404, foreign: 404, missing: 404 };
const SEES_ALL = { own: 200, other: 200, foreign: 200, missing: 404 };
const LISTS = {
  ...NOBODY,
  'viewer without identity': 403,
  viewer: 200,
  admin: 200,
  auditor: 200,
  'auditor of github': 200,
} as const;
const ITEMS = {
  ...NOBODY,
  'viewer without identity': 403,
  viewer: SEES_OWN,
  admin: SEES_ALL,
  auditor: SEES_ALL,
  'auditor of github': SEES_ALL,
} as const;
const known = (status: number) => ({
  ...NOBODY,
  'viewer without identity': status,
  viewer: status,
  admin: status,
  auditor: status,
  'auditor of github': status,
});
const KNOWN = known(200);
/** For admins and auditors. */
const EXPORTS = { ...KNOWN, 'viewer without identity': 403, viewer: 403 };
const exportsAs = (status: number) => ({ ...known(status), 'viewer without identity': 403, viewer: 403 });
const SETTINGS = { ...KNOWN, 'viewer without identity': 403, viewer: 403 };
const SCHEDULE = {
  name: 'hourly',
  timing: { every: 'hour' },
  destination: { type: 'configured', name: 'archive' },
};
/** What is sent along. */
const BODIES: Readonly<Record<string, object>> = {
  'put /api/v1/settings/roles': { version: 0, auditorTeams: [], adminViewTeams: [] },
  'post /api/v1/payload-search': { text: MARKER },
  'post /api/v1/views': { name: 'mine', page: 'usage', query: '' },
  'put /api/v1/views/{id}': { name: 'mine', page: 'usage', query: '' },
  'post /api/v1/exports/estimate': {},
  'post /api/v1/exports/downloads': {},
  'post /api/v1/exports/schedules': SCHEDULE,
  'put /api/v1/exports/schedules/{id}': { ...SCHEDULE, version: 1 },
  'post /api/v1/exports/schedules/preview': { timing: { every: 'hour' } },
  'post /api/v1/exports/schedules/{id}/release': { gateways: ['gw'] },
  'post /api/v1/exports/destinations/test': { destination: SCHEDULE.destination },
};
const OPEN = { anonymous: 200, unknown: 200, expired: 200, 'viewer without identity': 200, viewer: 200 } as const;

const MATRIX: Readonly<Record<string, Row>> = {
  'get /healthz': { ...OPEN, admin: 200, auditor: 200, 'auditor of github': 200 },
  'get /api/v1/openapi.json': { ...OPEN, admin: 200, auditor: 200, 'auditor of github': 200 },
  'get /api/v1/me': KNOWN,
  'get /api/v1/settings/roles': SETTINGS,
  'get /api/v1/settings/status': SETTINGS,
  'put /api/v1/settings/roles': {
    ...NOBODY,
    'viewer without identity': 403,
    viewer: 403,
    admin: 403,
    auditor: 403,
    'auditor of github': 403,
    // allowed, but of a version that is none
    'grafana admin': 409,
    'grafana admin, auditor': 409,
  },
  'get /api/v1/views': KNOWN,
  'post /api/v1/views': known(201),
  'put /api/v1/views/{id}': known(404),
  'delete /api/v1/views/{id}': known(404),
  'get /api/v1/calls': LISTS,
  'post /api/v1/payload-search': { ...SETTINGS, admin: 403 },
  // known to the access log by Grafana's id, if to nothing else
  'get /api/v1/access-log': { ...LISTS, 'grafana viewer with password': 200 },
  'get /api/v1/facets': LISTS,
  'get /api/v1/tail': { ...LISTS },
  'get /api/v1/timeline': LISTS,
  'get /api/v1/sessions': LISTS,
  'get /api/v1/usage/summary': LISTS,
  'get /api/v1/usage/timeline': LISTS,
  'get /api/v1/usage/servers': LISTS,
  'get /api/v1/usage/tools': LISTS,
  'get /api/v1/usage/users': LISTS,
  'get /api/v1/usage/clients': LISTS,
  'get /api/v1/usage/unused': LISTS,
  'get /api/v1/usage/concurrency': LISTS,
  'get /api/v1/calls/{id}': ITEMS,
  'get /api/v1/sessions/{key}': ITEMS,
  'get /api/v1/exports/options': EXPORTS,
  'post /api/v1/exports/estimate': EXPORTS,
  'get /api/v1/exports/stream': EXPORTS,
  'post /api/v1/exports/downloads': exportsAs(201),
  'get /api/v1/exports/downloads/{ticket}': exportsAs(404),
  'get /api/v1/exports/schedules': EXPORTS,
  'post /api/v1/exports/schedules': exportsAs(201),
  'post /api/v1/exports/schedules/preview': EXPORTS,
  'get /api/v1/exports/schedules/{id}': exportsAs(404),
  'put /api/v1/exports/schedules/{id}': exportsAs(404),
  'delete /api/v1/exports/schedules/{id}': exportsAs(404),
  'post /api/v1/exports/schedules/{id}/run': exportsAs(404),
  'post /api/v1/exports/schedules/{id}/pause': exportsAs(404),
  'post /api/v1/exports/schedules/{id}/resume': exportsAs(404),
  'post /api/v1/exports/schedules/{id}/release': exportsAs(404),
  'post /api/v1/exports/destinations/test': EXPORTS,
  'get /api/v1/exports/runs': EXPORTS,
  'get /api/v1/exports/runs/{id}': exportsAs(404),
  'post /api/v1/exports/runs/{id}/cancel': exportsAs(404),
  'get /api/v1/exports/runs/{id}/manifest': exportsAs(404),
  'get /api/v1/tool-changes': { ...LISTS, viewer: 403 },
  'get /api/v1/tool-changes/{id}/diff': {
    ...NOBODY,
    'viewer without identity': 403,
    viewer: 403,
    admin: 403,
    auditor: SEES_ALL,
    'auditor of github': { own: 200, other: 200, foreign: 403, missing: 404 },
  },
  'get /api/v1/calls/{id}/payload': {
    ...NOBODY,
    'viewer without identity': 403,
    viewer: 403,
    admin: 403,
    auditor: SEES_ALL,
    'auditor of github': { own: 200, other: 200, foreign: 403, missing: 404 },
  },
};

/** Whose calls a role reads in lists and totals. */
const READS: Partial<Record<Role, readonly Exclude<Subject, 'missing'>[]>> = {
  viewer: ['own'],
  admin: ['own', 'other', 'foreign'],
  auditor: ['own', 'other', 'foreign'],
  'auditor of github': ['own', 'other', 'foreign'],
};

function operations(): string[] {
  const { paths } = openApiDocument('0') as { paths: Record<string, Record<string, unknown>> };
  return Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`));
}

/** Lists and figures that take filters. */
const FILTERED = Object.keys(MATRIX)
  .filter((operation) => MATRIX[operation] === LISTS && !operation.endsWith('/unused'))
  .map((operation) => operation.replace('get ', ''));
/** Of those, the ones that name servers. */
const NAMING = /calls$|facets$|sessions$|summary$|servers$|tools$|users$|concurrency$/;

let store: TestStore;
let testApi: TestApi;
let grafana: FakeGrafana;

beforeAll(async () => {
  store = await startTestStore();
  grafana = await startFakeGrafana(Object.values(PEOPLE), ['Owners', 'Security Audit', 'GitHub Audit']);
  const directory = mkdtempSync(join(tmpdir(), 'gatelens-matrix-'));
  const archive = { name: 'archive', type: 'directory', destination: directoryDestination(directory) } as const;
  const destinations = { configured: [archive], allowPrivate: false };
  testApi = startTestApi(store.reader, { grafana: grafana.settings, destinations });
  await insertPrincipals(store, { 'ana@example.com': 'ana', 'bob@example.com': 'bob' });
  for (const one of Object.values(CALLS)) {
    const sealed = await insertPayload(store, one, {
      request: JSON.stringify({ secret: `${MARKER} request` }),
      response: JSON.stringify({ secret: `${MARKER} response` }),
    });
    await insertCalls(store, [{ ...one, ...sealed }]);
    // a change of tools that was seen in this call
    const { call_id, server } = one;
    const change = { change_id: call_id, started_at: clickhouseTime(one.startedNs), server, seen_in_calls: [call_id] };
    const values = [{ ...change, kind: 'catalog', change: 'changed', added: ['x'] }];
    await store.admin.insert({ table: 'mcp.tool_changes', format: 'JSONEachRow', values });
  }
});
afterAll(() => Promise.all([store.close(), grafana.close()]));

/** All of an answer; of a live view what comes at once. */
async function textOf(answer: Response): Promise<string> {
  if (answer.headers.get('content-type')?.startsWith('text/event-stream') !== true) return answer.text();
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}

async function headersOf(role: Role | GrafanaRole): Promise<Record<string, string>> {
  if (role in LIKE) {
    const anonymous = { claims: { type: 'anonymous', sub: 'anonymous:0' } };
    const headers = await grafana.headers(
      PEOPLE[role as GrafanaRole],
      role === 'grafana anonymous' ? anonymous : undefined
    );
    if (role === 'grafana admin without secret') delete headers.Authorization;
    return headers;
  }
  return role === 'anonymous' ? {} : { Authorization: `Bearer ${role.replaceAll(' ', '-')}` };
}

async function ask(operation: string, path: string, role: Role | GrafanaRole, on = testApi): Promise<Response> {
  const headers = await headersOf(role);
  const [method = 'get'] = operation.split(' ');
  const body = BODIES[operation];
  return on.api.request(path, {
    method: method.toUpperCase(),
    headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const get = (path: string, role: Role): Promise<Response> => testApi.get(path, role === 'anonymous' ? undefined : role);

describe('the matrix', () => {
  test('has a row for every operation of the OpenAPI document, and for no other', () => {
    expect(Object.keys(MATRIX).sort()).toEqual(operations().sort());
  });

  test('knows every route that the API serves', () => {
    const served = testApi.api.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect([...new Set(served)].sort()).toEqual(Object.keys(MATRIX).sort());
  });
});

describe.each(Object.keys(MATRIX))('%s', (operation) => {
  const path = operation.split(' ')[1] ?? '';
  const row = MATRIX[operation];
  test.each([...ROLES, ...GRAFANA_ROLES])('%s', async (role) => {
    const like = role in LIKE ? LIKE[role as GrafanaRole] : (role as Role);
    const expected = row?.[role] ?? row?.[like] ?? 0;
    for (const subject of path.includes('{') ? SUBJECTS : SUBJECTS.slice(0, 1)) {
      const answer = await ask(
        operation,
        path.replace('{id}', idOf(subject)).replace('{key}', keyOf(subject)).replace('{ticket}', 'x'.repeat(43)),
        role
      );
      const text = await textOf(answer);
      const status = typeof expected === 'number' ? expected : expected[subject];
      expect({ subject, status: answer.status }).toEqual({ subject, status });
      const opened = path.endsWith('/payload') && status === 200;
      expect({ subject, marker: text.includes(MARKER) }).toEqual({ subject, marker: opened });
      if (like.startsWith('viewer')) {
        expect(text).not.toContain('bob');
        expect(text).not.toContain(userKey('bob@example.com'));
      }
    }
  });
});

test.each([...ROLES, ...GRAFANA_ROLES])('%s leaves a record of each refusal, on every route', async (role) => {
  const like = role in LIKE ? LIKE[role as GrafanaRole] : (role as Role);
  // each in a minute of its own: the log of refusals takes so many of them in one
  let minute = 0;
  const fresh = startTestApi(store.reader, { grafana: grafana.settings, monotonicMs: () => minute * 60_000 });
  for (const [operation, row] of Object.entries(MATRIX)) {
    const path = operation.split(' ')[1] ?? '';
    const expected = row[role] ?? row[like];
    const status = typeof expected === 'number' ? expected : expected.foreign;
    if (status !== 401 && status !== 403) continue;
    minute += 1;
    fresh.recorded.length = 0;
    const answer = await ask(
      operation,
      path.replace('{id}', idOf('foreign')).replace('{key}', keyOf('foreign')).replace('{ticket}', 'x'.repeat(43)),
      role,
      fresh
    );
    const { error } = (await answer.json()) as { error: { reason: string; message: string } };
    const refusals = fresh.recorded.filter(({ decision }) => decision === 'refused');
    expect({ operation, status: answer.status, reasons: refusals.map(({ reason }) => reason) }).toEqual({
      operation,
      status,
      reasons: [error.reason],
    });
    expect(error.message).toMatch(/\w{3,}/);
  }
});

describe.each(Object.entries(READS))('%s', (role, reads) => {
  const ids = reads.map((subject) => CALLS[subject].call_id);

  test('lists exactly the calls that may be seen', async () => {
    const { items } = (await (await get('/api/v1/calls', role as Role)).json()) as { items: { id: string }[] };
    expect(items.map(({ id }) => id)).toEqual(ids);
  });

  test('counts exactly the calls that may be seen', async () => {
    const summary = (await (await get('/api/v1/usage/summary', role as Role)).json()) as {
      totals: { calls: number; users: number };
      userServers: object[];
      scope: string;
    };
    expect(summary.totals).toMatchObject({ calls: ids.length, users: new Set(reads.map((s) => CALLS[s].email)).size });
    expect(summary.userServers).toHaveLength(ids.length);
    expect(summary.scope).toBe(role === 'viewer' ? 'own' : 'all');
  });

  test('draws exactly the calls that may be seen', async () => {
    const facets = (await (await get('/api/v1/facets', role as Role)).json()) as {
      facets: { field: string; values: { value: string; calls: number }[] }[];
    };
    const servers = facets.facets.find(({ field }) => field === 'server')?.values.map(({ value }) => value);
    expect(servers?.sort()).toEqual([...new Set(reads.map((subject) => CALLS[subject].server))].sort());
    const { totals } = (await (await get('/api/v1/timeline', role as Role)).json()) as { totals: { calls: number } };
    expect(totals.calls).toBe(ids.length);
    const { items } = (await (await get('/api/v1/sessions', role as Role)).json()) as { items: { key: string }[] };
    expect(items.map(({ key }) => key)).toEqual(reads.map((subject) => CALLS[subject].session_key));
  });

  test.each([
    'user=bob@example.com&user=ana@example.com',
    'user=bob',
    'user=nobody@example.com',
    'user=(none)',
    `user=${userKey('bob@example.com')}`,
    `user=${userKey('nobody@example.com')}`,
    'user=bоb@example.com',
    'user=ana%40example.com%00',
  ])('asks for others by %s, or is refused with a reason and a record', async (filter) => {
    let minute = 0;
    const fresh = startTestApi(store.reader, { monotonicMs: () => minute * 60_000 });
    for (const path of FILTERED) {
      // a new minute: the log of refusals takes so many of them in one
      minute += 1;
      fresh.recorded.length = 0;
      const answer = await fresh.get(`${path}?${filter}`, role);
      if (role !== 'viewer') {
        expect({ path, status: answer.status }).toEqual({ path, status: 200 });
        await textOf(answer);
        continue;
      }
      // to the byte the same, whoever it is and whether there is such a person
      expect({ path, status: answer.status, body: await answer.json() }).toEqual({
        path,
        status: 403,
        body: {
          error: {
            code: 'forbidden',
            reason: 'other_user',
            message: expect.stringMatching(/^You see your own calls only/) as string,
          },
        },
      });
      const action = path.includes('/usage/') ? 'usage.read' : 'calls.read';
      expect(fresh.recorded).toMatchObject([
        { action, decision: 'refused', reason: 'other_user', actorKey: userKey('ana@example.com') },
      ]);
    }
  });

  test.each([
    'notUser=ana@example.com',
    'notUser=nobody',
    'q=hr',
    'q=bob',
    `q=${sessionKey('session-bob')}`,
    `session=${sessionKey('session-bob@example.com-hr')}`,
    'server=hr&notTool=nothing',
  ])('cannot reach further by %s', async (filter) => {
    for (const path of FILTERED) {
      const answer = await get(`${path}?${filter}`, role as Role);
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      const text = await answer.text();
      if (role === 'viewer') expect({ path, hr: text.includes('"hr"') }).toEqual({ path, hr: false });
      if (role === 'viewer') expect(text).not.toContain('bob');
      else if (NAMING.test(path)) expect({ path, hr: text.includes('"hr"') }).toEqual({ path, hr: true });
    }
  });

  test('is told of each payload whether it can be opened, and why not', async () => {
    const { items } = (await (await get('/api/v1/calls', role as Role)).json()) as {
      items: { server: string; payload: object }[];
    };
    for (const { server, payload } of items) {
      const hidden = role === 'auditor' || (role === 'auditor of github' && server === 'github') ? undefined : true;
      const because = role.startsWith('auditor') ? 'other_server' : 'not_auditor';
      expect(payload).toMatchObject(
        hidden === undefined ? { visible: true } : { visible: false, hiddenBecause: because }
      );
    }
  });
});

describe('what may be taken away', () => {
  const PAYLOADS = 'get /api/v1/exports/stream';
  const MAY: Readonly<Record<Role, number>> = { ...EXPORTS, admin: 403 };

  test.each([...ROLES, ...GRAFANA_ROLES])('payloads, by %s', async (role) => {
    const like = role in LIKE ? LIKE[role as GrafanaRole] : (role as Role);
    const answer = await ask(PAYLOADS, '/api/v1/exports/stream?payloads=true&columns=call_id,server', role);
    const text = await answer.text();
    expect(answer.status).toBe(MAY[like]);
    const opened = text
      .split('\n')
      .filter((line) => line.includes(MARKER))
      .map((line) => (JSON.parse(line) as { server: string }).server);
    if (like === 'auditor') expect(opened).toEqual(['hr', 'github', 'github']);
    else if (like === 'auditor of github') expect(opened).toEqual(['github', 'github']);
    else expect(text).not.toContain(MARKER);
    if (like === 'auditor of github') expect(text).toContain('"other_server"');
  });
});

test.each([
  ['call', `/api/v1/calls/${idOf('other')}`, `/api/v1/calls/${idOf('missing')}`],
  ['session', `/api/v1/sessions/${keyOf('other')}`, `/api/v1/sessions/${keyOf('missing')}`],
])('a %s of somebody else and one that does not exist are the same to a viewer, to the byte', async (_what, a, b) => {
  const other = await get(a, 'viewer');
  const missing = await get(b, 'viewer');
  expect(await other.text()).toBe(await missing.text());
  const headers = ({ headers: all }: Response): string[][] => [...all].filter(([name]) => name !== 'date');
  expect(headers(other)).toEqual(headers(missing));
});

test('who sees their own calls only leaves a record of each id that is none of theirs, the same for any', async () => {
  const asked: string[] = [];
  const reader = {
    query: <Row>(sql: string, params: Parameters<TestStore['reader']['query']>[1], options?: QueryOptions) => {
      asked.push(sql);
      return store.reader.query<Row>(sql, params, options);
    },
  };
  let minute = 0;
  const fresh = startTestApi(reader, { monotonicMs: () => minute * 60_000 });
  const recordOf = async (path: string, token = 'viewer') => {
    minute += 1;
    fresh.recorded.length = asked.length = 0;
    const { status } = await fresh.get(path, token);
    return { status, recorded: [...fresh.recorded], asked: [...asked] };
  };
  for (const subject of ['other', 'foreign', 'missing'] as const) {
    const id = idOf(subject);
    const { status, recorded, asked: sql } = await recordOf(`/api/v1/calls/${id}`);
    const refused = { decision: 'refused', reason: 'not_own', actorKey: userKey('ana@example.com') };
    expect({ subject, status, recorded }).toMatchObject({
      status: 404,
      recorded: [{ ...refused, action: 'calls.read', targetCallId: id }],
    });
    // the same questions to the store, so that time tells nothing either
    expect(sql).toEqual((await recordOf(`/api/v1/calls/${idOf('missing')}`)).asked);
    const session = await recordOf(`/api/v1/sessions/${keyOf(subject)}`);
    expect(session).toMatchObject({ status: 404, recorded: [refused] });
    expect(session.asked).toEqual((await recordOf(`/api/v1/sessions/${keyOf('missing')}`)).asked);
  }
  const { recorded } = await recordOf('/api/v1/calls/MARKER%20typed%20by%20somebody');
  expect(recorded).toHaveLength(1);
  expect(recorded[0]?.targetCallId).toBeUndefined();
  expect((await recordOf(`/api/v1/calls/${idOf('own')}`)).recorded).toEqual([]);
  expect((await recordOf(`/api/v1/calls/${idOf('missing')}`, 'admin')).recorded).toEqual([]);
});

test('each payload that was given out or refused is in the access log, with who, whose and where', async () => {
  const fresh = startTestApi(store.reader);
  await fresh.get(`/api/v1/calls/${idOf('other')}/payload`, 'auditor');
  await fresh.get(`/api/v1/calls/${idOf('foreign')}/payload`, 'auditor of github');
  await fresh.get(`/api/v1/calls/${idOf('own')}/payload`, 'admin');
  expect(fresh.recorded).toMatchObject([
    {
      decision: 'allowed',
      actorName: 'siem',
      targetCallId: idOf('other'),
      targetUserKey: userKey('bob@example.com'),
      targetServer: 'github',
      rows: 1,
    },
    { decision: 'refused', reason: 'other_server', actorName: 'gh', targetServer: 'hr' },
    { decision: 'refused', reason: 'not_auditor', actorName: 'boss', actorKey: userKey('ana@example.com') },
  ]);
  expect(
    JSON.stringify(fresh.recorded, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
  ).not.toMatch(/MARKER|@/);
});
