/**
 * The parts of Grafana that the audit API asks, over HTTP: signing keys, users and teams of an organisation. Signs ID
 * tokens as Grafana does, and wrong ones on demand. Can be taken down. Not Grafana.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { GrafanaSettings } from '../../src/audit-api/deps.ts';

export interface Person {
  readonly id: number;
  readonly login: string;
  readonly email?: string;
  readonly role: string;
  readonly teams?: readonly string[];
  readonly authenticatedBy?: string;
  readonly disabled?: boolean;
}

export const ROUTE_SECRET = 'route-secret-of-the-plugin';
const SERVICE_TOKEN = 'glsa_test';

/** What a token differs in from the right one. */
export interface TokenFault {
  readonly claims?: JWTPayload;
  /** these are left out */
  readonly without?: readonly string[];
  readonly issuer?: string;
  readonly audience?: string;
  readonly kid?: string;
  /** seconds from now */
  readonly expiresIn?: number;
  /** signed by a key that Grafana does not publish */
  readonly stranger?: boolean;
}

export interface FakeGrafana {
  readonly url: string;
  readonly people: Person[];
  /** names of teams; the position is the id, from 1 */
  readonly teams: string[];
  /** requests it got, by path */
  readonly asked: string[];
  /** what it answers besides: undefined: as it should */
  trouble: 'down' | 'forbidden' | 'nonsense' | 'redirect' | undefined;
  readonly settings: GrafanaSettings;
  token(person: Person, fault?: TokenFault): Promise<string>;
  /** headers as the proxy of the plugin sends them */
  headers(person: Person, fault?: TokenFault): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function startFakeGrafana(people: readonly Person[], teams: readonly string[]): Promise<FakeGrafana> {
  const published = await generateKeyPair('ES256');
  const strange = await generateKeyPair('ES256');
  const kid = 'id-2026-11-es256';
  const jwk: JWK = { ...(await exportJWK(published.publicKey)), alg: 'ES256', use: 'sig', kid };
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://grafana');
    grafana.asked.push(url.pathname);
    const answer = (status: number, body: unknown): void => {
      res.writeHead(status, { 'content-type': 'application/json' });
      res.end(JSON.stringify(body));
    };
    if (url.pathname === '/api/signing-keys/keys') {
      if (grafana.trouble === 'down') req.socket.destroy();
      else answer(200, { keys: [jwk] });
      return;
    }
    if (grafana.trouble === 'down') req.socket.destroy();
    else if (grafana.trouble === 'forbidden') answer(403, { message: 'Permissions needed: org.users:read' });
    else if (grafana.trouble === 'nonsense') answer(200, { teams: 'none' });
    else if (grafana.trouble === 'redirect') res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    else if (req.headers.authorization !== `Bearer ${SERVICE_TOKEN}`) answer(401, { message: 'Unauthorized' });
    else answer(200, apiAnswer(grafana, url));
  });
  await listen(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (person: Person, fault: TokenFault): Promise<string> =>
    signToken(fault.stranger === true ? strange.privateKey : published.privateKey, kid, url, person, fault);
  const grafana: FakeGrafana = {
    url,
    people: [...people],
    teams: [...teams],
    asked: [],
    trouble: undefined,
    settings: {
      url,
      issuers: [`${url}/`],
      jwksUrl: `${url}/api/signing-keys/keys`,
      org: 1,
      routeSecret: ROUTE_SECRET,
      serviceAccountToken: SERVICE_TOKEN,
      roleMapping: {
        auditorTeams: [
          { team: 'Security Audit', servers: ['*'] },
          { team: 'GitHub Audit', servers: ['github'] },
        ],
        adminViewTeams: ['Owners'],
      },
      identityClaim: 'email',
      identities: [],
      trustContextTeams: false,
    },
    token: (person, fault = {}) => sign(person, fault),
    headers: async (person, fault = {}) => ({
      Authorization: `Bearer ${ROUTE_SECRET}`,
      'X-Grafana-Id': await sign(person, fault),
    }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return grafana;
}

function signToken(key: CryptoKey, kid: string, url: string, person: Person, fault: TokenFault): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims: Record<string, unknown> = {
    iss: fault.issuer ?? `${url}/`,
    aud: [fault.audience ?? 'org:1'],
    sub: `user:${person.id}`,
    iat: now,
    exp: now + (fault.expiresIn ?? 600),
    identifier: `uid${person.id}`,
    type: 'user',
    namespace: 'default',
    email: person.email ?? `${person.login}@example.com`,
    email_verified: true,
    authenticatedBy: person.authenticatedBy ?? 'oauth_generic_oauth',
    username: person.login,
    name: person.login.toUpperCase(),
    role: person.role,
    ...fault.claims,
  };
  const kept = Object.fromEntries(Object.entries(claims).filter(([name]) => fault.without?.includes(name) !== true));
  return new SignJWT(kept).setProtectedHeader({ alg: 'ES256', kid: fault.kid ?? kid, typ: 'jwt' }).sign(key);
}

function apiAnswer({ people, teams }: FakeGrafana, url: URL): unknown {
  if (url.pathname === '/api/org/users') {
    return people.map(({ id, login, email, role, disabled }) => ({
      orgId: 1,
      userId: id,
      uid: `uid${id}`,
      login,
      email: email ?? `${login}@example.com`,
      role,
      isDisabled: disabled === true,
    }));
  }
  const members = /^\/api\/teams\/(\d+)\/members$/.exec(url.pathname);
  if (members !== null) {
    const team = teams[Number(members[1]) - 1] ?? '';
    return people.filter((one) => one.teams?.includes(team)).map(({ id, login }) => ({ userId: id, login }));
  }
  const named = teams.map((name, index) => ({ id: index + 1, orgId: 1, name, memberCount: membersIn(people, name) }));
  return { totalCount: named.length, teams: url.searchParams.get('page') === '1' ? named : [] };
}

function membersIn(people: readonly Person[], team: string): number {
  return people.filter((one) => one.teams?.includes(team)).length;
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}
