/**
 * From what a key or token says to who a caller is. E-mails are compared in lower case, but A–Z only: full Unicode
 * lower-casing turns look-alikes into plain letters (U+212A KELVIN SIGN becomes `k`) and would make two people one.
 */
import type { Principal } from './principal.ts';

export function normalizeEmail(email: string): string {
  return email.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function isEmail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text);
}

/** The owner of an API key. A key that names nobody is its own subject. */
export function principalOfKey(keyName: string, user: string | undefined): Principal {
  if (user === undefined) return { subject: `key:${keyName}` };
  if (!isEmail(user)) return { subject: safeSubject(user), login: user };
  const email = normalizeEmail(user);
  return { subject: email, email };
}

/**
 * @param claims verified claims of a token
 * @returns undefined when they name nobody
 */
export function principalOfClaims(claims: Readonly<Record<string, unknown>>, userClaim: string): Principal | undefined {
  const named = textOf(claims[userClaim]);
  // A provider that lets people type in any address says so here; then the address is nobody's identity.
  const unverified = userClaim === 'email' && claims.email_verified === false;
  const email = named !== undefined && !unverified && isEmail(named) ? normalizeEmail(named) : undefined;
  const sub = textOf(claims.sub);
  const other = named !== undefined && email === undefined && !isEmail(named) ? named : sub;
  const subject = email ?? (other === undefined ? undefined : safeSubject(other));
  if (subject === undefined) return undefined;
  const login = textOf(claims.preferred_username);
  const name = textOf(claims.name);
  return {
    subject,
    ...(email === undefined ? {} : { email }),
    ...(login === undefined ? {} : { login }),
    ...(name === undefined ? {} : { name }),
  };
}

/** A subject that is no e-mail must never hash like one. */
function safeSubject(subject: string): string {
  return subject.includes('@') || subject.startsWith('key:') ? `sub:${subject}` : subject;
}

/** Teams as an array of texts, or a text with spaces between. */
export function teamsOfClaim(claim: unknown): readonly string[] {
  const teams = typeof claim === 'string' ? claim.split(/\s+/) : Array.isArray(claim) ? claim : [];
  const named = teams.filter((team): team is string => typeof team === 'string' && team !== '' && team.length <= 200);
  return [...new Set(named)].slice(0, 200);
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim.trim() !== '' && claim.length <= 320 ? claim.trim() : undefined;
}
