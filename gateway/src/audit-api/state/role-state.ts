/**
 * The role mapping as it is in force, and who was seen under it: each Auditor once, each person behind a login. Made from
 * the configuration the first time, and changed through the API from then on.
 */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { RoleMapping } from '../role-mapping.ts';

export interface MappingInForce {
  /** 1 as made from the configuration */
  readonly version: number;
  readonly mapping: RoleMapping;
  /** RFC 3339 */
  readonly changedAt: string;
  /** user key of who changed it; `''`: the configuration */
  readonly changedBy: string;
}

export interface RoleState {
  current(): MappingInForce;
  /** @returns false when somebody else changed it since `from` */
  change(from: number, next: Omit<MappingInForce, 'version'>): boolean;
  /** @returns true when this person was not seen as an Auditor of these servers yet */
  isNewAuditor(subject: string, servers: string): boolean;
  auditorSeen(subject: string, servers: string, at: string): void;
  auditorNoMore(subject: string): void;
  /** The person who was seen first under a login keeps it. @returns whether this is that person */
  isPinned(login: string, subject: string, at: string): boolean;
}

const Mapping = z.object({
  auditorTeams: z.array(z.object({ team: z.string(), servers: z.array(z.string()) })),
  adminViewTeams: z.array(z.string()),
});

/** @param seed of the configuration */
export function createRoleState(state: DatabaseSync, seed: RoleMapping, at: string): RoleState {
  state
    .prepare('INSERT OR IGNORE INTO role_mapping (id, version, mapping, changed_at, changed_by) VALUES (1, 1, ?, ?, ?)')
    .run(JSON.stringify({ auditorTeams: seed.auditorTeams, adminViewTeams: seed.adminViewTeams }), at, '');
  const select = state.prepare('SELECT version, mapping, changed_at, changed_by FROM role_mapping WHERE id = 1');
  const read = (): MappingInForce => {
    const row = select.get();
    if (row === undefined) throw new TypeError('no role mapping');
    return {
      version: Number(row.version),
      mapping: Mapping.parse(JSON.parse(String(row.mapping))),
      changedAt: String(row.changed_at),
      changedBy: String(row.changed_by),
    };
  };
  const update = state.prepare(
    'UPDATE role_mapping SET version = version + 1, mapping = ?, changed_at = ?, changed_by = ? WHERE id = 1 AND version = ?'
  );
  const seen = state.prepare('SELECT servers FROM auditors_seen WHERE subject = ?');
  const see = state.prepare('INSERT OR REPLACE INTO auditors_seen (subject, servers, seen_at) VALUES (?, ?, ?)');
  const forget = state.prepare('DELETE FROM auditors_seen WHERE subject = ?');
  const pin = state.prepare('INSERT OR IGNORE INTO identity_pins (login, subject, seen_at) VALUES (?, ?, ?)');
  const pinned = state.prepare('SELECT subject FROM identity_pins WHERE login = ?');
  // one owner: what was written here last is what is in force
  let current = read();
  return {
    current: () => current,
    change: (from, { mapping, changedAt, changedBy }) => {
      const { changes } = update.run(JSON.stringify(mapping), changedAt, changedBy, from);
      current = read();
      return Number(changes) === 1;
    },
    isNewAuditor: (subject, servers) => seen.get(subject)?.servers !== servers,
    auditorSeen: (subject, servers, at) => void see.run(subject, servers, at),
    // read first: this is asked at every request, and only a change is worth a write
    auditorNoMore: (subject) => {
      if (seen.get(subject) !== undefined) forget.run(subject);
    },
    isPinned: (login, subject, at) => {
      if (pinned.get(login) === undefined) pin.run(login, subject, at);
      return pinned.get(login)?.subject === subject;
    },
  };
}
