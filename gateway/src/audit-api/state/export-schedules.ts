/**
 * Schedules as they are kept: what, when, where to, whose, and how far their windows are. A window is taken out of the
 * schedule and put among its runs in one transaction, so that none is exported twice and none is left out, whenever the
 * process ends.
 */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Timing } from '../../exports/timing.ts';
import type { ExportDestinationView } from '../contract.ts';
import type { RunOwner, RunRequest } from './export-runs.ts';

export interface ScheduleContent {
  readonly request: RunRequest;
  readonly timing: Timing;
  readonly timeZone: string;
  /** without its secrets */
  readonly destination: ExportDestinationView;
  readonly objectName: string;
  readonly recipients: readonly string[];
}

export interface ScheduleRow {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly owner: RunOwner;
  readonly content: ScheduleContent;
  /** sealed; empty: none */
  readonly secret: string;
  readonly paused: boolean;
  /** ns since 1970: where the next window begins */
  readonly closedTo: bigint;
  /** gateways that are not waited for */
  readonly released: readonly string[];
  /** signature of the manifest before; empty: none yet */
  readonly previous: string;
  /** ms since 1970 */
  readonly lateCheckedMs: number;
  readonly createdAt: string;
  readonly changedAt: string;
}

export interface ExportSchedules {
  /** by name */
  list(): ScheduleRow[];
  find(id: string): ScheduleRow | undefined;
  /** @param secret of the schedule whose id it is given */
  add(
    schedule: Pick<ScheduleRow, 'name' | 'owner' | 'content' | 'closedTo'>,
    secret: (id: string) => string,
    at: string
  ): ScheduleRow;
  /** @returns false when somebody else changed it since `version` */
  change(
    id: string,
    version: number,
    next: Pick<ScheduleRow, 'name' | 'owner' | 'content' | 'secret'>,
    at: string
  ): boolean;
  pause(id: string, paused: boolean, at: string): void;
  release(id: string, released: readonly string[]): void;
  /** Runs in one transaction; what it throws undoes it. */
  together<T>(work: () => T): T;
  close(id: string, closedTo: bigint): void;
  vouched(id: string, previous: string): void;
  lateChecked(id: string, atMs: number): void;
  remove(id: string): void;
}

export function createExportSchedules(state: DatabaseSync): ExportSchedules {
  const all = state.prepare('SELECT * FROM export_schedules ORDER BY name, id');
  const one = state.prepare('SELECT * FROM export_schedules WHERE id = ?');
  const insert = state.prepare(`INSERT INTO export_schedules VALUES (?, 1, ?, ?, ?, ?, 0, ?, '[]', '', 0, ?, ?)`);
  const update = state.prepare(
    `UPDATE export_schedules SET version = version + 1, name = ?, owner = ?, content = ?, secret = ?, changed_at = ?
      WHERE id = ? AND version = ?`
  );
  const pause = state.prepare(
    'UPDATE export_schedules SET version = version + 1, paused = ?, changed_at = ? WHERE id = ?'
  );
  const release = state.prepare('UPDATE export_schedules SET released = ? WHERE id = ?');
  const close = state.prepare('UPDATE export_schedules SET closed_to = ? WHERE id = ?');
  const vouched = state.prepare('UPDATE export_schedules SET previous = ? WHERE id = ?');
  const late = state.prepare('UPDATE export_schedules SET late_checked_ms = ? WHERE id = ?');
  const remove = state.prepare('DELETE FROM export_schedules WHERE id = ?');
  const cancelRuns = state.prepare(
    `UPDATE export_runs SET state = 'cancelled' WHERE schedule_id = ? AND state IN ('pending', 'running', 'retrying')`
  );
  const find = (id: string): ScheduleRow | undefined => {
    const row = one.get(id);
    return row === undefined ? undefined : scheduleOf(row);
  };
  const together = <T>(work: () => T): T => {
    state.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      state.exec('COMMIT');
      return result;
    } catch (error) {
      state.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    list: () => all.all().map(scheduleOf),
    find,
    add: ({ name, owner, content, closedTo }, secret, at) => {
      const id = randomUUID();
      insert.run(id, name, JSON.stringify(owner), JSON.stringify(content), secret(id), `${closedTo}`, at, at);
      const added = find(id);
      if (added === undefined) throw new TypeError('a schedule vanished');
      return added;
    },
    change: (id, version, { name, owner, content, secret }, at) =>
      Number(update.run(name, JSON.stringify(owner), JSON.stringify(content), secret, at, id, version).changes) > 0,
    pause: (id, paused, at) => void pause.run(paused ? 1 : 0, at, id),
    release: (id, released) => void release.run(JSON.stringify(released), id),
    together,
    close: (id, closedTo) => void close.run(`${closedTo}`, id),
    vouched: (id, previous) => void vouched.run(previous, id),
    lateChecked: (id, atMs) => void late.run(atMs, id),
    remove: (id) =>
      together(() => {
        cancelRuns.run(id);
        remove.run(id);
      }),
  };
}

function scheduleOf(row: Record<string, SQLOutputValue>): ScheduleRow {
  return {
    id: String(row.id),
    version: Number(row.version),
    name: String(row.name),
    owner: JSON.parse(String(row.owner)) as RunOwner,
    content: JSON.parse(String(row.content)) as ScheduleContent,
    secret: String(row.secret),
    paused: row.paused === 1,
    closedTo: BigInt(String(row.closed_to)),
    released: JSON.parse(String(row.released)) as string[],
    previous: String(row.previous),
    lateCheckedMs: Number(row.late_checked_ms),
    createdAt: String(row.created_at),
    changedAt: String(row.changed_at),
  };
}
