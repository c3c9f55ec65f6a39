/**
 * Who comes through Grafana, against a small stand-in over HTTP: everything forged, expired or of somebody else is
 * refused and recorded; teams are Grafana's word and nobody else's; nobody makes themselves an Auditor unseen.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GrafanaSettings } from '../../src/audit-api/deps.ts';
import type { Me, RoleSettings } from '../../src/audit-api/contract.ts';
import type { StoreReader } from '../../src/store/queries/reader.ts';
import type { TestApi, TestApiOptions } from './api-under-test.ts';
import { startTestApi, userKey } from './api-under-test.ts';
import type { FakeGrafana, Person, TokenFault } from './fake-grafana.ts';
import { ROUTE_SECRET, startFakeGrafana } from './fake-grafana.ts';

const ANA: Person = { id: 1, login: 'ana', role: 'Viewer' };
const OLGA: Person = { id: 2, login: 'olga', role: 'Admin' };
const VERA: Person = { id: 3, login: 'vera', role: 'Viewer', teams: ['Security Audit'] };
const MARC: Person = { id: 4, login: 'marc', role: 'Admin', teams: ['Security Audit', 'GitHub Audit'] };
const LIN: Person = { id: 5, login: 'lin', role: 'Editor', teams: ['GitHub Audit'] };
const PAT: Person = { id: 6, login: 'pat', role: 'Viewer', authenticatedBy: 'password', email: 'ana@example.com' };

/** Nothing of these tests is in a store. */
const NO_ROWS: StoreReader = { query: () => Promise.resolve([]) };

let grafana: FakeGrafana;
let clockMs = 0;
beforeEach(async () => {
  clockMs = 0;
  grafana = await startFakeGrafana(
    [ANA, OLGA, VERA, MARC, LIN, PAT],
    ['Security Audit', 'GitHub Audit', 'Owners', 'Security Audit ', 'security audit', 'Ѕecurity Audit', 'Platform']
  );
});
afterEach(() => grafana.close());

function start(settings: Partial<GrafanaSettings> = {}, over: TestApiOptions = {}): TestApi {
  return startTestApi(NO_ROWS, {
    grafana: { ...grafana.settings, ...settings },
    monotonicMs: () => clockMs,
    ...over,
  });
}

interface Answer<T> {
  readonly status: number;
  readonly body: T;
}
async function send<T>(
  api: TestApi,
  path: string,
  headers: Record<string, string>,
  init: RequestInit = {}
): Promise<Answer<T>> {
  const answer = await api.api.request(`/api/v1${path}`, { ...init, headers });
  return { status: answer.status, body: (await answer.json()) as T };
}
async function me(api: TestApi, person: Person, more: Record<string, string> = {}): Promise<Answer<Me>> {
  return send(api, '/me', { ...(await grafana.headers(person)), ...more });
}
interface Refusal {
  readonly error: { readonly code: string; readonly reason: string; readonly message: string };
}

describe('a right token', () => {
  test.each([
    ['viewer', ANA, ['viewer'], 'own', false],
    ['admin', OLGA, ['admin'], 'all', false],
    ['viewer in the Auditor team', VERA, ['viewer', 'auditor'], 'all', '*'],
    ['admin in two Auditor teams', MARC, ['admin', 'auditor'], 'all', '*'],
    ['editor in the team of one server', LIN, ['viewer', 'auditor'], 'all', ['github']],
  ] as [string, Person, string[], string, false | '*' | string[]][])(
    'of a %s',
    async (_who, person, roles, calls, servers) => {
      const { status, body } = await me(start(), person);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        kind: 'grafana',
        name: person.login,
        roles,
        user: { key: userKey(`${person.login}@example.com`), email: `${person.login}@example.com` },
        visibility: { calls, payloads: servers === false ? { allowed: false } : { allowed: true, servers } },
        auditorTeams: ['Security Audit', 'GitHub Audit'],
      });
      expect(body.visibility.settings).toBe(person.role === 'Admin' ? 'change' : calls === 'all' ? 'read' : 'none');
    }
  );

  test('counts the role that Grafana says now, not the one in the token', async () => {
    const api = start();
    expect((await me(api, { ...ANA, role: 'Admin' })).body.roles).toEqual(['viewer']);
    grafana.people.splice(0, 1, { ...ANA, role: 'None' });
    clockMs += 60_000;
    expect(await me(api, ANA)).toMatchObject({ status: 403, body: { error: { reason: 'not_a_member' } } });
  });

  test.each([
    ['disabled', { ...ANA, disabled: true }],
    ['not in the organisation any more', undefined],
  ] as [string, Person | undefined][])('of somebody who is %s opens nothing', async (_what, now) => {
    grafana.people.splice(0, 1, ...(now === undefined ? [] : [now]));
    const api = start();
    expect(await me(api, ANA)).toMatchObject({ status: 403, body: { error: { reason: 'not_a_member' } } });
    expect(api.recorded).toMatchObject([{ action: 'authenticate', decision: 'refused', actorKind: 'grafana' }]);
    expect(api.recorded[0]?.actorKey).not.toBe('');
  });

  test('without a service account gives the role of the token and no team', async () => {
    const { serviceAccountToken, ...settings } = grafana.settings;
    expect(serviceAccountToken).toBeDefined();
    const api = startTestApi(NO_ROWS, { grafana: settings });
    expect((await me(api, MARC)).body.roles).toEqual(['admin']);
    const noRole = await send<Me>(api, '/me', await grafana.headers(MARC, { without: ['role'] }));
    expect(noRole.body.roles).toEqual(['viewer']);
    expect(grafana.asked).toEqual(['/api/signing-keys/keys']);
  });
});

describe('a wrong token', () => {
  const FAULTS: readonly (readonly [string, TokenFault, number, string])[] = [
    ['expired', { expiresIn: -60 }, 401, 'expired_token'],
    ['without expiry', { without: ['exp'] }, 401, 'bad_signature'],
    ['of another organisation', { audience: 'org:2' }, 401, 'wrong_org'],
    ['of another issuer', { issuer: 'https://evil.example.com/' }, 401, 'wrong_issuer'],
    ['of an issuer that looks alike', { issuer: 'http://127.0.0.1/' }, 401, 'wrong_issuer'],
    ['of another key id', { kid: 'id-2099-01-es256' }, 401, 'bad_signature'],
    ['signed by a stranger under our key id', { stranger: true }, 401, 'bad_signature'],
    ['of a service account', { claims: { type: 'service-account', sub: 'service-account:7' } }, 403, 'service_account'],
    ['of a service account that says user', { claims: { sub: 'service-account:1' } }, 403, 'service_account'],
    ['of an API key', { claims: { type: 'api-key', sub: 'api-key:1' } }, 403, 'service_account'],
    ['of a renderer', { claims: { type: 'render', sub: 'render:0' } }, 403, 'service_account'],
    ['of nobody', { claims: { type: 'anonymous', sub: 'anonymous:0' } }, 401, 'anonymous'],
    ['without a subject', { without: ['sub'] }, 401, 'bad_signature'],
    ['of an empty subject', { claims: { sub: 'user:' }, without: ['identifier'] }, 401, 'bad_signature'],
    ['without a type', { claims: { sub: '1' }, without: ['type'] }, 401, 'bad_signature'],
  ];
  test.each(FAULTS)('%s is refused and recorded', async (_what, fault, status, reason) => {
    const api = start();
    const answer = await send<Refusal>(api, '/calls', await grafana.headers(MARC, fault));
    expect(answer).toMatchObject({ status, body: { error: { reason } } });
    expect(answer.body.error.message).not.toBe('');
    expect(api.recorded).toMatchObject([{ action: 'authenticate', decision: 'refused', reason, actorKind: 'grafana' }]);
  });

  const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  test.each([
    ['unsigned', (token: string) => `${base64({ alg: 'none', typ: 'jwt' })}.${token.split('.')[1]}.`],
    [
      'of alg none with a signature',
      (token: string) => `${base64({ alg: 'none' })}.${token.split('.').slice(1).join('.')}`,
    ],
    [
      'of HS256 by the public key',
      (token: string) => `${base64({ alg: 'HS256', kid: 'id-2026-11-es256' })}.${token.split('.').slice(1).join('.')}`,
    ],
    [
      'with other claims under the old signature',
      (token: string) => {
        const [head, body, signature] = token.split('.');
        const claims = JSON.parse(Buffer.from(body ?? '', 'base64url').toString()) as object;
        return `${head}.${base64({ ...claims, sub: 'user:4', identifier: 'uid4' })}.${signature}`;
      },
    ],
    ['cut', (token: string) => token.slice(0, -10)],
    ['no token at all', () => 'MARC'],
    ['a very long one', (token: string) => token + 'x'.repeat(20_000)],
  ])('%s is refused', async (_what, spoil) => {
    const api = start();
    const headers = { Authorization: `Bearer ${ROUTE_SECRET}`, 'X-Grafana-Id': spoil(await grafana.token(ANA)) };
    expect(await send(api, '/me', headers)).toMatchObject({
      status: 401,
      body: { error: { reason: 'bad_signature' } },
    });
    expect(api.recorded).toMatchObject([{ action: 'authenticate', decision: 'refused', reason: 'bad_signature' }]);
  });

  test('is as good as none: the secret of the route alone opens nothing', async () => {
    const forged = {
      'X-Grafana-User': 'marc',
      'X-Grafana-Context': JSON.stringify({ UserID: 4, OrgID: 1, Login: 'marc', OrgRole: 'Admin', Teams: [1] }),
      'X-Grafana-Org-Id': '1',
      'X-WEBAUTH-USER': 'marc',
    };
    const api = start({ trustContextTeams: true });
    const answer = await send(api, '/me', { Authorization: `Bearer ${ROUTE_SECRET}`, ...forged });
    expect(answer).toMatchObject({ status: 401, body: { error: { reason: 'no_id_token' } } });
    expect(api.recorded).toMatchObject([{ action: 'authenticate', decision: 'refused', reason: 'no_id_token' }]);
  });

  test.each([
    ['no secret', {}, 'anonymous'],
    ['another secret', { Authorization: 'Bearer route-secret-of-the-plugix' }, 'unknown_token'],
    ['the secret with a blank before', { Authorization: `Bearer  x${ROUTE_SECRET}` }, 'unknown_token'],
    ['the secret by another scheme', { Authorization: `Basic ${ROUTE_SECRET}` }, 'unknown_token'],
  ] as [string, Record<string, string>, string][])(
    'nor a right one replayed with %s',
    async (_what, headers, reason) => {
      const api = start();
      const answer = await send(api, '/me', { 'X-Grafana-Id': await grafana.token(MARC), ...headers });
      expect(answer).toMatchObject({ status: 401, body: { error: { reason } } });
      expect(api.recorded).toMatchObject([{ action: 'authenticate', decision: 'refused', reason, actorKind: 'none' }]);
      expect(grafana.asked).toEqual([]);
    }
  );

  test('beside an automation token changes nothing', async () => {
    const headers = { Authorization: 'Bearer viewer', 'X-Grafana-Id': await grafana.token(MARC) };
    expect((await send<Me>(start(), '/me', headers)).body).toMatchObject({ kind: 'token', roles: ['viewer'] });
  });
});

describe('one’s own calls', () => {
  test('are nobody’s for a password login, whatever e-mail they wrote into their profile', async () => {
    const api = start();
    const { body } = await me(api, PAT);
    expect(body).toMatchObject({ user: null, nothingBecause: 'no_identity', visibility: { calls: 'none' } });
    expect(body.explanation.join(' ')).toContain('nothing vouches for who you are');
    const calls = await send(api, '/calls?user=ana@example.com', await grafana.headers(PAT));
    expect(calls).toMatchObject({ status: 403, body: { error: { reason: 'no_identity' } } });
    expect(api.recorded.at(-1)).toMatchObject({ actorKind: 'grafana', actorPrincipal: { login: 'grafana:pat' } });
    expect(api.recorded.at(-1)?.actorKey).not.toBe(userKey('ana@example.com'));
  });

  test.each(['password', 'passwordless', 'basic', '', 'oauth', 'OAUTH_GOOGLE', 'render', 'x oauth_google'])(
    'do not come from a login by %j',
    async (authenticatedBy) => {
      expect((await me(start(), { ...ANA, authenticatedBy })).body.user).toBeNull();
    }
  );

  test.each(['oauth_azuread', 'oauth_generic_oauth', 'ldap', 'auth.saml', 'authproxy', 'jwt'])(
    'come from a login by %s',
    async (authenticatedBy) => {
      expect((await me(start(), { ...ANA, authenticatedBy })).body.user?.email).toBe('ana@example.com');
    }
  );

  test('of look-alikes are other people’s', async () => {
    for (const email of ['ana@exаmple.com', 'ａna@example.com', 'anа@example.com', 'ana@example.com.evil.com']) {
      expect((await me(start(), { ...ANA, email })).body.user?.key).not.toBe(userKey('ana@example.com'));
    }
    expect((await me(start(), { ...ANA, email: 'no address' })).body.user).toBeNull();
  });

  test('of a password login are those that the configuration names', async () => {
    const identities = [{ grafanaUser: 'pat', user: 'Pat@Example.com' }];
    expect((await me(start({ identities }), PAT)).body.user).toEqual({
      key: userKey('pat@example.com'),
      email: 'pat@example.com',
    });
    expect((await me(start({ identities }), { ...PAT, login: 'PAT' })).body.user).toBeNull();
  });

  test('stay with the person who was first seen under a login, when another takes it', async () => {
    const api = start({ identities: [{ grafanaUser: 'pat', user: 'pat@example.com' }] });
    expect((await me(api, PAT)).body.user).not.toBeNull();
    const thief: Person = { id: 66, login: 'pat', role: 'Viewer', authenticatedBy: 'password' };
    grafana.people.splice(5, 1, { ...PAT, login: 'pat-was-renamed' }, thief);
    clockMs += 60_000;
    expect((await me(api, thief)).body.user).toBeNull();
  });

  test('can be named by an id, which nobody can take by renaming themselves', async () => {
    const identities = [{ grafanaUser: 'user:6', user: 'pat@example.com' }];
    expect((await me(start({ identities }), PAT)).body.user?.email).toBe('pat@example.com');
    const thief: Person = { ...ANA, login: 'user:6', authenticatedBy: 'password' };
    expect((await me(start({ identities }), thief)).body.user).toBeNull();
  });
});

describe('teams', () => {
  test('are Grafana’s word, not that of a header', async () => {
    const context = JSON.stringify({ UserID: 1, OrgID: 1, Login: 'ana', OrgRole: 'Admin', Teams: [1] });
    expect((await me(start(), ANA, { 'X-Grafana-Context': context })).body.roles).toEqual(['viewer']);
  });

  test.each(['Security Audit ', 'security audit', 'Ѕecurity Audit'])(
    'that only look alike count for nothing: %s',
    async (team) => {
      grafana.people.splice(0, 1, { ...ANA, teams: [team] });
      expect((await me(start(), ANA)).body.roles).toEqual(['viewer']);
    }
  );

  test('of a header count where the configuration says so, if they are of the same person', async () => {
    const api = start({ trustContextTeams: true });
    const told = (over: object): Record<string, string> => ({
      'X-Grafana-Context': JSON.stringify({ UserID: 1, OrgID: 1, Login: 'ana', Teams: [1], ...over }),
    });
    expect((await me(api, ANA, told({}))).body.roles).toEqual(['viewer', 'auditor']);
    for (const over of [{ UserID: 4 }, { OrgID: 2 }, { Login: 'marc' }, { Teams: ['1'] }, { Teams: 1 }]) {
      expect((await me(api, ANA, told(over))).body.roles).toEqual(['viewer']);
    }
    expect((await me(api, ANA, { 'X-Grafana-Context': '{"UserID":1' })).body.roles).toEqual(['viewer']);
  });

  test('are asked once a minute, however many ask', async () => {
    const api = start();
    await Promise.all(Array.from({ length: 20 }, () => me(api, VERA)));
    clockMs += 59_000;
    await me(api, VERA);
    const asked = (path: string): number => grafana.asked.filter((one) => one === path).length;
    expect([asked('/api/org/users'), asked('/api/teams/search'), asked('/api/teams/1/members')]).toEqual([1, 1, 1]);
    clockMs += 2000;
    await me(api, VERA);
    expect(asked('/api/teams/1/members')).toBe(2);
  });

  test.each(['down', 'forbidden', 'nonsense', 'redirect'] as const)(
    'that Grafana does not tell (%s) hold for five minutes, then everybody is refused',
    async (trouble) => {
      const api = start();
      const headers = await grafana.headers(VERA);
      expect((await send<Me>(api, '/me', headers)).body.roles).toContain('auditor');
      grafana.trouble = trouble;
      clockMs += 299_000;
      expect((await send<Me>(api, '/me', headers)).body.roles).toContain('auditor');
      clockMs += 2000;
      for (const path of ['/me', '/calls', '/calls/x/payload']) {
        const answer = await send<Refusal>(api, path, headers);
        expect(answer).toMatchObject({ status: 403, body: { error: { reason: 'teams_unavailable' } } });
      }
      expect(api.recorded.at(-1)).toMatchObject({ reason: 'teams_unavailable', actorKey: userKey('vera@example.com') });
      grafana.trouble = undefined;
      expect((await send<Me>(api, '/me', headers)).body.roles).toContain('auditor');
    }
  );

  test('that were never told refuse everybody from the start', async () => {
    grafana.trouble = 'forbidden';
    expect(await me(start(), ANA)).toMatchObject({ status: 403, body: { error: { reason: 'teams_unavailable' } } });
  });

  test('make nobody an Auditor a minute after they left', async () => {
    const api = start();
    expect((await me(api, VERA)).body.roles).toContain('auditor');
    grafana.people.splice(2, 1, { ...VERA, teams: [] });
    clockMs += 60_000;
    expect((await me(api, VERA)).body.roles).toEqual(['viewer']);
  });
});

test('keys that cannot be read refuse everybody, and say so', async () => {
  grafana.trouble = 'down';
  expect(await me(start(), MARC)).toMatchObject({ status: 401, body: { error: { reason: 'keys_unavailable' } } });
});

describe('who is seen as an Auditor for the first time', () => {
  test('is recorded, once, and again with other servers or after having been none', async () => {
    const api = start();
    const sights = () => api.recorded.filter(({ action }) => action === 'auditor.first_seen');
    await me(api, VERA);
    await me(api, VERA);
    expect(sights()).toMatchObject([
      {
        decision: 'allowed',
        actorKey: userKey('vera@example.com'),
        actorKind: 'grafana',
        detail: { servers: ['*'], teams: ['Security Audit'] },
      },
    ]);
    const become = async (teams: string[]): Promise<void> => {
      grafana.people.splice(2, 1, { ...VERA, teams });
      clockMs += 60_000;
      await me(api, VERA);
    };
    await become(['GitHub Audit']);
    expect(sights()).toHaveLength(2);
    await become([]);
    expect(sights()).toHaveLength(2);
    await become(['GitHub Audit']);
    expect(sights()).toHaveLength(3);
  });

  test('is recorded once, though a page asks several things at the same time', async () => {
    const api = start();
    const answers = await Promise.all([1, 2, 3, 4].map(() => me(api, VERA)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(api.recorded.filter(({ action }) => action === 'auditor.first_seen')).toHaveLength(1);
  });

  test('sees nothing until that is on disk', async () => {
    let full = true;
    const api = start(
      {},
      {
        record: ({ action }) =>
          full && action === 'auditor.first_seen' ? Promise.reject(new Error('disk full')) : Promise.resolve(),
      }
    );
    expect(await me(api, VERA)).toMatchObject({ status: 503, body: { error: { code: 'not_recorded' } } });
    expect(await me(api, VERA)).toMatchObject({ status: 503 });
    full = false;
    expect((await me(api, VERA)).status).toBe(200);
    expect(api.recorded.map(({ action }) => action)).toEqual(['auditor.first_seen']);
  });
});

describe('the role mapping', () => {
  const read = async (api: TestApi, person: Person): Promise<Answer<RoleSettings>> =>
    send(api, '/settings/roles', await grafana.headers(person));
  const change = async (
    api: TestApi,
    person: Person,
    auditorTeams: { team: string; servers: string[] }[],
    over: object = {}
  ): Promise<Answer<RoleSettings & Refusal>> => {
    const version = (await read(api, OLGA)).body.version;
    return send(
      api,
      '/settings/roles',
      { ...(await grafana.headers(person)), 'Content-Type': 'application/json' },
      { method: 'PUT', body: JSON.stringify({ version, auditorTeams, adminViewTeams: [], ...over }) }
    );
  };

  test('begins as configured, with how many people it means', async () => {
    const { body } = await read(start(), OLGA);
    expect(body).toMatchObject({
      version: 1,
      auditorTeams: [
        { team: 'Security Audit', servers: ['*'], members: 2 },
        { team: 'GitHub Audit', servers: ['github'], members: 2 },
      ],
      adminViewTeams: [{ team: 'Owners', members: 0 }],
      changedBy: null,
      mayChange: true,
    });
    expect(body.teams?.map(({ name }) => name)).toContain('Platform');
    expect((await read(start(), VERA)).body.mayChange).toBe(false);
    expect((await read(start(), ANA)).status).toBe(403);
  });

  test('is changed by a Grafana Admin, recorded, and in force at once', async () => {
    const api = start();
    grafana.people.push({ id: 9, login: 'zoe', role: 'Viewer', teams: ['Platform'] });
    const answer = await change(api, OLGA, [{ team: 'Platform', servers: ['hr', 'files'] }]);
    expect(answer).toMatchObject({
      status: 200,
      body: { version: 2, changedBy: { key: userKey('olga@example.com') } },
    });
    expect(api.recorded.at(-1)).toMatchObject({
      action: 'roles.change',
      decision: 'allowed',
      actorKey: userKey('olga@example.com'),
      detail: {
        version: 2,
        added: ['auditor: Platform → hr', 'auditor: Platform → files'],
        removed: ['auditor: Security Audit → *', 'auditor: GitHub Audit → github', 'admin view: Owners'],
      },
    });
    expect((await me(api, VERA)).body.roles).toEqual(['viewer']);
    expect((await me(api, { id: 9, login: 'zoe', role: 'Viewer' })).body.visibility.payloads.servers).toEqual([
      'files',
      'hr',
    ]);
  });

  test.each([
    ['a viewer', ANA, 'not_admin'],
    ['an auditor who is a viewer', VERA, 'not_admin'],
  ] as [string, Person, string][])('is not changed by %s', async (_who, person, reason) => {
    const api = start();
    expect(await change(api, person, [])).toMatchObject({ status: 403, body: { error: { reason } } });
    expect(api.recorded.at(-1)).toMatchObject({ action: 'roles.change', decision: 'refused', reason });
    expect((await read(api, OLGA)).body.version).toBe(1);
  });

  test.each(['admin', 'auditor'])('is not changed by an automation token, %s', async (token) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ version: 1, auditorTeams: [], adminViewTeams: [] });
    expect((await send(start(), '/settings/roles', headers, { method: 'PUT', body })).status).toBe(403);
  });

  test.each([
    ['by naming their own team', { ...OLGA, teams: ['Platform'] }, [{ team: 'Platform', servers: ['hr'] }]],
    [
      'by widening the servers of their own team',
      { ...OLGA, teams: ['GitHub Audit'] },
      [{ team: 'GitHub Audit', servers: ['github', 'hr'] }],
    ],
    ['by a star', { ...OLGA, teams: ['GitHub Audit'] }, [{ team: 'GitHub Audit', servers: ['*'] }]],
    [
      'by their second team',
      { ...OLGA, teams: ['Platform', 'GitHub Audit'] },
      [
        { team: 'Platform', servers: ['hr'] },
        { team: 'GitHub Audit', servers: ['github'] },
      ],
    ],
  ] as [string, Person, { team: string; servers: string[] }[]][])(
    'makes nobody an Auditor of more by their own hand: %s',
    async (_how, person, teams) => {
      grafana.people.splice(1, 1, person);
      const api = start();
      expect(await change(api, person, teams)).toMatchObject({
        status: 403,
        body: { error: { reason: 'self_elevation' } },
      });
      expect(api.recorded.at(-1)).toMatchObject({
        action: 'roles.change',
        decision: 'refused',
        reason: 'self_elevation',
      });
      expect((await read(api, MARC)).body.version).toBe(1);
    }
  );

  test('makes nobody an Auditor who joined the team a moment before', async () => {
    const api = start();
    await read(api, OLGA);
    await me(api, OLGA);
    grafana.people.splice(1, 1, { ...OLGA, teams: ['Platform'] });
    const answer = await change(api, OLGA, [{ team: 'Platform', servers: ['*'] }]);
    expect(answer).toMatchObject({ status: 403, body: { error: { reason: 'self_elevation' } } });
  });

  test('can be narrowed by an Auditor, and widened by one of all servers', async () => {
    const api = start();
    expect(
      (
        await change(api, MARC, [
          { team: 'Security Audit', servers: ['*'] },
          { team: 'Platform', servers: ['*'] },
        ])
      ).status
    ).toBe(200);
    expect((await change(api, MARC, [{ team: 'Security Audit', servers: ['hr'] }])).status).toBe(200);
    expect((await change(api, MARC, [{ team: 'Security Audit', servers: ['*'] }])).status).toBe(403);
  });

  test('stays as it is while Grafana does not say who is in which team', async () => {
    const api = start();
    await me(api, OLGA);
    grafana.trouble = 'forbidden';
    expect(await change(api, OLGA, [])).toMatchObject({
      status: 403,
      body: { error: { reason: 'teams_unavailable' } },
    });
  });

  test('stays as it is when the change cannot be recorded', async () => {
    let full = false;
    const api = start({}, { record: () => (full ? Promise.reject(new Error('disk full')) : Promise.resolve()) });
    await me(api, OLGA);
    full = true;
    expect(await change(api, OLGA, [])).toMatchObject({ status: 503, body: { error: { code: 'not_recorded' } } });
    full = false;
    expect((await read(api, OLGA)).body.version).toBe(1);
  });

  test.each([
    ['an old version', { version: 7 }, 409],
    [
      'a team twice',
      {
        auditorTeams: [
          { team: 'A', servers: ['*'] },
          { team: 'A', servers: ['x'] },
        ],
      },
      400,
    ],
    ['a team without servers', { auditorTeams: [{ team: 'A', servers: [] }] }, 400],
    ['a name with a blank at its end', { adminViewTeams: ['Owners '] }, 400],
    ['something unknown', { superusers: ['olga'] }, 400],
    ['too much', { adminViewTeams: Array.from({ length: 400 }, (_, n) => 'x'.repeat(190) + String(n)) }, 400],
  ] as [string, object, number][])('refuses %s', async (_what, over, status) => {
    expect((await change(start(), OLGA, [], over)).status).toBe(status);
  });

  test.each(['', '{', '[]', 'null', '"x"'])('refuses a body of %j', async (body) => {
    const headers = { ...(await grafana.headers(OLGA)), 'Content-Type': 'application/json' };
    expect((await send(start(), '/settings/roles', headers, { method: 'PUT', body })).status).toBe(400);
  });
});

describe('saved views', () => {
  const as = async (api: TestApi, person: Person, method: string, path = '', view?: object) => {
    const headers = { ...(await grafana.headers(person)), 'Content-Type': 'application/json' };
    return api.api.request(`/api/v1/views${path}`, {
      method,
      headers,
      ...(view === undefined ? {} : { body: JSON.stringify(view) }),
    });
  };
  interface View {
    readonly id: string;
    readonly name: string;
    readonly query: string;
  }
  const VIEW = { name: 'failures', page: 'audit-logs', query: 'notOutcome=success&from=now-7d' };

  test('are made, listed, changed and removed by their owner', async () => {
    const api = start();
    const made = (await (await as(api, ANA, 'POST', '', VIEW)).json()) as View;
    expect(made).toMatchObject(VIEW);
    const changed = await as(api, ANA, 'PUT', `/${made.id}`, { ...VIEW, name: 'mine' });
    expect(await changed.json()).toMatchObject({ id: made.id, name: 'mine' });
    const { items } = (await (await as(api, ANA, 'GET')).json()) as { items: View[] };
    expect(items.map(({ name }) => name)).toEqual(['mine']);
    expect((await as(api, ANA, 'DELETE', `/${made.id}`)).status).toBe(204);
    expect((await as(api, ANA, 'DELETE', `/${made.id}`)).status).toBe(404);
  });

  test('are nobody else’s to see, change or remove, whatever their rights', async () => {
    const api = start();
    const { id } = (await (await as(api, ANA, 'POST', '', VIEW)).json()) as View;
    // who took over a login is somebody else
    for (const person of [OLGA, MARC, VERA, { ...LIN, login: 'ana' }]) {
      expect(await (await as(api, person, 'GET')).json()).toEqual({ items: [] });
      const [foreign, missing] = [
        await as(api, person, 'PUT', `/${id}`, VIEW),
        await as(api, person, 'PUT', '/no', VIEW),
      ];
      expect([foreign.status, await foreign.text()]).toEqual([missing.status, await missing.text()]);
      expect((await as(api, person, 'DELETE', `/${id}`)).status).toBe(404);
    }
    expect(((await (await as(api, ANA, 'GET')).json()) as { items: View[] }).items).toHaveLength(1);
  });

  test.each([
    ['no name', { ...VIEW, name: ' ' }],
    ['another page', { ...VIEW, page: 'https://evil.example.com' }],
    ['a whole address', { ...VIEW, query: '?from=now-1h' }],
    ['a long query', { ...VIEW, query: 'x'.repeat(4097) }],
    ['an owner', { ...VIEW, owner: 'marc' }],
  ])('refuse %s', async (_what, view) => {
    expect((await as(start(), ANA, 'POST', '', view)).status).toBe(400);
  });

  test('are 200 at most', async () => {
    const api = start();
    for (let n = 0; n < 200; n++) expect((await as(api, ANA, 'POST', '', VIEW)).status).toBe(201);
    expect((await as(api, ANA, 'POST', '', VIEW)).status).toBe(409);
  });
});
