/**
 * Which settings may change while the service runs, and whether a new configuration changes only those. All or nothing: a
 * mixture of an old and a new configuration is one that nobody has checked. Compares; applies nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GatelensConfig } from '../config.ts';
import { GatelensError } from '../errors.ts';

/** Sections of which single members are told apart. */
const BY_MEMBER = ['auth', 'capture', 'auditApi'] as const;

const RELOADABLE: ReadonlySet<string> = new Set([
  'mcpServers',
  'policy',
  'rateLimit',
  'auth.apiKeys',
  'auth.anonymous',
  'capture.default',
  'capture.rules',
  'auditApi.tokens',
  'usage',
]);

/** Settings that differ, e.g. `policy`, `auth.apiKeys`. */
export function changedSettings(current: GatelensConfig, next: GatelensConfig): string[] {
  const sections = new Set([...Object.keys(current), ...Object.keys(next)]) as Set<keyof GatelensConfig>;
  return [...sections].flatMap((section) => {
    if (isDeepStrictEqual(current[section], next[section])) return [];
    if (!isByMember(section)) return [section];
    const [before, after]: Readonly<Record<string, unknown>>[] = [current[section], next[section]];
    const members = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
    return [...members]
      .filter((member) => !isDeepStrictEqual(before?.[member], after?.[member]))
      .map((member) => `${section}.${member}`);
  });
}

/** @throws GatelensError `config_invalid` naming the settings that need a restart */
export function requireReloadable(changed: readonly string[]): void {
  const fixed = changed.filter((setting) => !RELOADABLE.has(setting));
  if (fixed.length === 0) return;
  throw new GatelensError(
    'config_invalid',
    `The new configuration changes ${fixed.join(', ')}, which takes a restart. Nothing of it was taken over.`
  );
}

function isByMember(section: string): section is (typeof BY_MEMBER)[number] {
  return (BY_MEMBER as readonly string[]).includes(section);
}
