/**
 * Whose an MCP session is, kept over restarts: keyed hash of server and session id → keyed hash of the person. An upstream
 * server knows only the gateway, so the id alone would open a session to anybody who got hold of it. One SQLite file;
 * bounded, the longest unused go first. What cannot be kept is forgotten at the next restart, and then refused.
 */
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { makePrivateDirectory } from '../private-directory.ts';
import type { Pseudonyms } from '../protection/seams.ts';

export interface KeptSessionOwners {
  /** @returns `Caller.userKey` of who opened it */
  find(server: string, sessionId: string): string | undefined;
  keep(server: string, sessionId: string, userKey: string): void;
  forget(server: string, sessionId: string): void;
  close(): void;
}

export interface SessionOwnersOptions {
  /** `:memory:` for tests */
  readonly file: string;
  readonly pseudonyms: Pseudonyms;
  readonly logger: Logger;
  /** default 100,000 */
  readonly capacity?: number;
  /** unused for so long, a session is forgotten; default 30 days */
  readonly expiryMs?: number;
  readonly now?: () => number;
}

const DAY_MS = 86_400_000;
/** Room is made for many at once, so that it is not made for each. */
const PRUNED_AT_ONCE = 0.05;
const LOG_INTERVAL_MS = 60_000;

/** @throws GatelensError `data_dir_unusable` */
export function openSessionOwners(options: SessionOwnersOptions): KeptSessionOwners {
  const { pseudonyms, logger } = options;
  const now = options.now ?? Date.now;
  const capacity = options.capacity ?? 100_000;
  const expiryMs = options.expiryMs ?? 30 * DAY_MS;
  const file = open(options.file);
  file.prepare('DELETE FROM owners WHERE seen_ms < ?').run(now() - expiryMs);
  const select = file.prepare('SELECT owner, seen_ms FROM owners WHERE session = ?');
  const insert = file.prepare(
    'INSERT INTO owners (session, owner, seen_ms) VALUES (?, ?, ?) ON CONFLICT (session) DO UPDATE SET owner = excluded.owner, seen_ms = excluded.seen_ms'
  );
  const touch = file.prepare('UPDATE owners SET seen_ms = ? WHERE session = ?');
  const remove = file.prepare('DELETE FROM owners WHERE session = ?');
  const prune = file.prepare(
    'DELETE FROM owners WHERE session IN (SELECT session FROM owners ORDER BY seen_ms LIMIT ?)'
  );
  const counted = file.prepare('SELECT count(*) AS n FROM owners');
  const count = (): number => Number(counted.get()?.n ?? 0);
  let entries = count();
  let loggedAtMs = Number.NEGATIVE_INFINITY;

  const keyOf = (server: string, sessionId: string): string => pseudonyms.hash('session', `${server}\0${sessionId}`);
  const tried = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch {
      if (now() - loggedAtMs >= LOG_INTERVAL_MS) {
        loggedAtMs = now();
        logger.error('session_owners_failed', { code: 'data_dir_unusable' });
      }
      return undefined;
    }
  };

  return {
    find: (server, sessionId) =>
      tried(() => {
        const key = keyOf(server, sessionId);
        const row = select.get(key);
        const seenMs = Number(row?.seen_ms ?? 0);
        if (row === undefined || seenMs < now() - expiryMs) return undefined;
        if (now() - seenMs > DAY_MS) touch.run(now(), key);
        return String(row.owner);
      }),
    keep: (server, sessionId, userKey) => {
      tried(() => {
        insert.run(keyOf(server, sessionId), userKey, now());
        if (++entries <= capacity) return;
        // sessions that were ended are gone already
        entries = count();
        if (entries <= capacity) return;
        entries -= Number(prune.run(Math.ceil(capacity * PRUNED_AT_ONCE)).changes);
      });
    },
    forget: (server, sessionId) => {
      tried(() => (entries -= Number(remove.run(keyOf(server, sessionId)).changes)));
    },
    close: () => file.close(),
  };
}

function open(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') makePrivateDirectory(dirname(path));
    const file = new DatabaseSync(path);
    if (path !== ':memory:') chmodSync(path, 0o600);
    // Losing the newest of them with the machine costs their clients a new session.
    file.exec('PRAGMA busy_timeout = 1000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    file.exec(
      `CREATE TABLE IF NOT EXISTS owners (
        session TEXT PRIMARY KEY, owner TEXT NOT NULL, seen_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS owners_by_age ON owners (seen_ms);`
    );
    return file;
  } catch (cause) {
    throw new GatelensError(
      'data_dir_unusable',
      'The owners of MCP sessions (<dataDir>/state/sessions.sqlite) cannot be read. Check that the directory can be written; if the file is damaged, delete it: clients then open new sessions.',
      { cause }
    );
  }
}
