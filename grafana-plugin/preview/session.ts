/**
 * Who is signed in to the stand-in: a cookie that names one of its people. No password, since it listens on loopback
 * only; so that no web site can use it from another tab, the cookie is same-site and foreign hosts and origins are refused.
 */
import type { IncomingMessage } from 'node:http';
import type { Person } from './people.ts';
import { ANONYMOUS, FIRST_LOGIN, personByLogin } from './people.ts';

export type Theme = 'light' | 'dark';

export interface Session {
  /** `undefined`: anonymous */
  readonly person: Person | undefined;
  readonly theme: Theme;
}

const LOGIN_COOKIE = 'gatelens_preview_user';
const THEME_COOKIE = 'gatelens_preview_theme';
const LOCAL_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

export function readSession(req: IncomingMessage): Session {
  const cookies = cookiesOf(req);
  return {
    person: personByLogin(cookies.get(LOGIN_COOKIE) ?? ''),
    theme: cookies.get(THEME_COOKIE) === 'light' ? 'light' : 'dark',
  };
}

/** Opening a page without a cookie signs the first person in; a request to an API without one stays anonymous. */
export function needsFirstLogin(req: IncomingMessage): boolean {
  return !cookiesOf(req).has(LOGIN_COOKIE);
}

export function firstSession(req: IncomingMessage): Session {
  return { person: personByLogin(FIRST_LOGIN), theme: readSession(req).theme };
}

export function isLogin(login: unknown): login is string {
  return typeof login === 'string' && (login === ANONYMOUS || personByLogin(login) !== undefined);
}

export const loginCookie = (login: string): string => `${LOGIN_COOKIE}=${login}; Path=/; HttpOnly; SameSite=Strict`;
export const themeCookie = (theme: Theme): string => `${THEME_COOKIE}=${theme}; Path=/; HttpOnly; SameSite=Strict`;

/** Whether a request was made for this machine by a page of this stand-in, or by no page at all. */
export function isLocalRequest(req: IncomingMessage): boolean {
  const host = req.headers.host ?? '';
  if (!LOCAL_NAMES.has(host.replace(/:\d+$/, ''))) return false;
  const { origin } = req.headers;
  return origin === undefined || origin === `http://${host}`;
}

function cookiesOf(req: IncomingMessage): ReadonlyMap<string, string> {
  const pairs = (req.headers.cookie ?? '').split(';').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const;
  });
  return new Map(pairs);
}
