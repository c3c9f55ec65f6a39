/**
 * The small state of the audit API: the role mapping, who was seen as an Auditor, saved views, exports and their
 * schedules. One SQLite file with one owner, this process; what it says is on disk before a change is answered. Holds no
 * payload; secrets of destinations only sealed, under a key that is not in it.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatelensError } from '../../errors.ts';

/** Forward only; the position is the version of the file. */
const MIGRATIONS = [
  `CREATE TABLE role_mapping (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    mapping TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    changed_by TEXT NOT NULL
  ) STRICT;
  CREATE TABLE auditors_seen (
    subject TEXT PRIMARY KEY,
    servers TEXT NOT NULL,
    seen_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE identity_pins (
    login TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    seen_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE views (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    page TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX views_by_owner ON views (owner, name);`,
  `CREATE TABLE export_schedules (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    content TEXT NOT NULL,
    secret TEXT NOT NULL,
    paused INTEGER NOT NULL,
    closed_to TEXT NOT NULL,
    released TEXT NOT NULL,
    previous TEXT NOT NULL,
    late_checked_ms INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE export_runs (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    schedule_id TEXT NOT NULL,
    schedule_name TEXT NOT NULL,
    supplement INTEGER NOT NULL,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    request TEXT NOT NULL,
    from_ns TEXT NOT NULL,
    to_ns TEXT NOT NULL,
    expected_rows INTEGER,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    next_attempt_ms INTEGER NOT NULL,
    problem TEXT NOT NULL,
    objects TEXT NOT NULL,
    manifest_name TEXT NOT NULL,
    manifest TEXT NOT NULL,
    positions TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX export_runs_by_number ON export_runs (number);
  CREATE INDEX export_runs_by_schedule ON export_runs (schedule_id, number);`,
] as const;

export function stateFile(dataDir: string): string {
  return `${dataDir}/state/audit-api.sqlite`;
}

/**
 * The caller closes it.
 * @param file `:memory:` for tests
 * @throws GatelensError `config_invalid` when it cannot be had
 */
export function openState(file: string): DatabaseSync {
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const state = new DatabaseSync(file);
    if (file !== ':memory:') chmodSync(file, 0o600);
    state.exec(
      'PRAGMA busy_timeout = 1000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;'
    );
    migrate(state);
    return state;
  } catch (cause) {
    throw new GatelensError(
      'config_invalid',
      'The state of the audit API cannot be opened. Check that <dataDir>/state can be written and that no other audit API uses it.',
      { cause }
    );
  }
}

function migrate(state: DatabaseSync): void {
  const row = state.prepare('PRAGMA user_version').get();
  const version = Number(row?.user_version ?? 0);
  if (version > MIGRATIONS.length) throw new TypeError('the file is of a newer version');
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    state.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}
