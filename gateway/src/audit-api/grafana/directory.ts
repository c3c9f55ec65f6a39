/**
 * Who is in the organisation and in which team, asked from Grafana's own API by a service account: the only source of
 * teams that a user cannot write. Kept for a minute; when Grafana does not answer, what was known serves for five
 * minutes, then nobody is known. Reads only; follows no redirect.
 */
import type { ApiClock } from '../clock.ts';

const FRESH_MS = 60_000;
const STALE_MS = 5 * 60_000;
const TIMEOUT_MS = 5000;
const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024;
const TEAMS_A_PAGE = 1000;
const PAGES = 20;
/** more than there are kept connections: three questions are asked at once */
const ATTEMPTS = 5;

export interface OrgUser {
  readonly userId: number;
  readonly uid: string;
  readonly login: string;
  readonly email: string;
  /** `None`, `Viewer`, `Editor`, `Admin` */
  readonly role: string;
  readonly disabled: boolean;
}

export interface Team {
  readonly id: number;
  readonly name: string;
  readonly members: number;
}

/** As Grafana said at one moment. */
export interface Directory {
  readonly users: readonly OrgUser[];
  /** every team of the organisation */
  readonly teams: readonly Team[];
  /** user ids by team id */
  membersOf(teamId: number): Promise<ReadonlySet<number>>;
}

/** Grafana does not answer, or does not let the service account ask. */
export class DirectoryUnavailable extends Error {
  /** HTTP status of Grafana's answer; undefined: none came */
  readonly status?: number;

  constructor(status?: number) {
    super('Grafana does not say who is in which team');
    this.name = 'DirectoryUnavailable';
    if (status !== undefined) this.status = status;
  }
}

export interface DirectoryOptions {
  /** Grafana's base URL */
  readonly url: string;
  readonly token: string;
  readonly org: number;
  readonly clock: Pick<ApiClock, 'monotonicMs'>;
}

export interface GrafanaDirectory {
  /** @throws DirectoryUnavailable */
  read(): Promise<Directory>;
  /** Asks Grafana anew, its members too: for a test of the connection, and where a minute is too old. @throws DirectoryUnavailable */
  readAnew(): Promise<Directory>;
}

interface Kept<T> {
  readonly value: T;
  readonly atMs: number;
}

/** One answer of Grafana: kept, asked once at a time, served stale for a while. */
class Cached<T> {
  readonly #load: () => Promise<T>;
  readonly #nowMs: () => number;
  #kept: Kept<T> | undefined;
  #loading: Promise<T> | undefined;

  constructor(load: () => Promise<T>, nowMs: () => number) {
    this.#load = load;
    this.#nowMs = nowMs;
  }

  async get(): Promise<T> {
    const kept = this.#kept;
    if (kept !== undefined && this.#nowMs() - kept.atMs < FRESH_MS) return kept.value;
    try {
      return await this.renew();
    } catch (error) {
      if (kept !== undefined && this.#nowMs() - kept.atMs < STALE_MS) return kept.value;
      throw error;
    }
  }

  renew(): Promise<T> {
    this.#loading ??= this.#reload().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #reload(): Promise<T> {
    // the age of what it says, not of its arrival
    const atMs = this.#nowMs();
    const value = await this.#load();
    this.#kept = { value, atMs };
    return value;
  }
}

export function createGrafanaDirectory({ url, token, org, clock }: DirectoryOptions): GrafanaDirectory {
  const nowMs = (): number => clock.monotonicMs();
  const base = url.replace(/\/+$/, '');
  const ask = (path: string): Promise<unknown> => getJson(`${base}${path}`, token);
  const users = new Cached(async () => orgUsers(await ask('/api/org/users'), org), nowMs);
  const teams = new Cached(() => allTeams(ask, org), nowMs);
  const members = new Map<number, Cached<ReadonlySet<number>>>();
  const membersCached = (teamId: number): Cached<ReadonlySet<number>> => {
    const cached =
      members.get(teamId) ?? new Cached(async () => memberIds(await ask(`/api/teams/${teamId}/members`)), nowMs);
    members.set(teamId, cached);
    return cached;
  };
  return {
    async read() {
      const [known, named] = await both(users.get(), teams.get());
      for (const teamId of members.keys()) if (!named.some(({ id }) => id === teamId)) members.delete(teamId);
      return { users: known, teams: named, membersOf: (teamId) => membersCached(teamId).get() };
    },
    async readAnew() {
      const [known, named] = await both(users.renew(), teams.renew());
      return { users: known, teams: named, membersOf: (teamId) => membersCached(teamId).renew() };
    },
  };
}

/** Waits for the other when one fails, so that the next reader does not join a question that is failing already. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}

async function allTeams(ask: (path: string) => Promise<unknown>, org: number): Promise<Team[]> {
  const teams: Team[] = [];
  for (let page = 1; page <= PAGES; page++) {
    const answer = record(await ask(`/api/teams/search?perpage=${TEAMS_A_PAGE}&page=${page}`));
    const found = list(answer.teams).map(record);
    for (const team of found) {
      const { id, name } = team;
      if (!isId(id) || typeof name !== 'string') throw new DirectoryUnavailable();
      if (team.orgId !== undefined && team.orgId !== org) throw new DirectoryUnavailable();
      teams.push({ id, name, members: typeof team.memberCount === 'number' ? team.memberCount : 0 });
    }
    if (found.length < TEAMS_A_PAGE) return teams;
  }
  // a team that is not seen would be one that gives no rights, or whose name is free
  throw new DirectoryUnavailable();
}

function orgUsers(answer: unknown, org: number): OrgUser[] {
  return list(answer).map((one) => {
    const { userId, uid, login, email, role, isDisabled, orgId } = record(one);
    if (!isId(userId) || typeof login !== 'string' || typeof role !== 'string') throw new DirectoryUnavailable();
    if (orgId !== undefined && orgId !== org) throw new DirectoryUnavailable();
    return { userId, uid: textOf(uid), login, email: textOf(email), role, disabled: isDisabled === true };
  });
}

function memberIds(answer: unknown): ReadonlySet<number> {
  const ids = list(answer).map((one) => record(one).userId);
  if (!ids.every(isId)) throw new DirectoryUnavailable();
  return new Set(ids);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DirectoryUnavailable();
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new DirectoryUnavailable();
  return value;
}

/** Nothing of the answer and nothing of the token goes into an error. */
async function getJson(url: string, token: string): Promise<unknown> {
  const ask = (): Promise<Response> =>
    fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: 'application/json', authorization: `Bearer ${token}` },
    });
  let response: Response | undefined;
  for (let attempt = 1; response === undefined; attempt++) {
    try {
      response = await ask();
    } catch (error) {
      // a kept connection can end just as it is used, and after a restart of Grafana each of them does
      if (attempt === ATTEMPTS || !isConnectionLost(error)) throw new DirectoryUnavailable();
    }
  }
  try {
    if (response.status !== 200 || response.body === null) throw new DirectoryUnavailable(response.status);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      bytes += part.byteLength;
      if (bytes > ANSWER_LIMIT_BYTES) throw new DirectoryUnavailable();
      parts.push(part);
    }
    return JSON.parse(Buffer.concat(parts).toString()) as unknown;
  } catch (error) {
    await response.body?.cancel().catch(() => undefined);
    throw error instanceof DirectoryUnavailable ? error : new DirectoryUnavailable();
  }
}

function isConnectionLost(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return false;
  return cause.code === 'ECONNRESET' || cause.code === 'EPIPE' || cause.code === 'UND_ERR_SOCKET';
}
