/**
 * Every export that was begun: what was asked for, how far it is, what became of it. A row is on disk before a byte goes
 * out, so that an export which ended with the process is known to have been begun. Old ones of no schedule are forgotten.
 */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

export type RunKind = 'download' | 'stream' | 'scheduled';
export type RunState = 'pending' | 'running' | 'done' | 'retrying' | 'failed' | 'cancelled';

export interface RunOwner {
  /** who it belongs to in the audit API itself */
  readonly subject: string;
  readonly kind: 'token' | 'grafana' | 'mcp';
  readonly name: string;
  readonly userKey: string;
}

/** What was asked for; people by user key. */
export interface RunRequest {
  readonly filters: Readonly<Record<string, readonly string[] | string | number>>;
  readonly format: 'jsonl' | 'csv' | 'parquet';
  readonly compression: 'none' | 'gzip' | 'zstd';
  readonly columns: readonly string[];
  readonly payloads: boolean;
}

export interface RunObject {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ExportRunRow {
  readonly id: string;
  /** grows with each run */
  readonly number: number;
  readonly kind: RunKind;
  /** empty: no schedule */
  readonly scheduleId: string;
  readonly scheduleName: string;
  /** 0: the window itself */
  readonly supplement: number;
  readonly state: RunState;
  readonly owner: RunOwner;
  readonly request: RunRequest;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly expectedRows: number | undefined;
  readonly rows: number;
  readonly bytes: number;
  readonly attempts: number;
  /** RFC 3339; empty: not yet */
  readonly startedAt: string;
  readonly endedAt: string;
  /** ms since 1970; 0: none */
  readonly nextAttemptMs: number;
  readonly problem: string;
  readonly objects: readonly RunObject[];
  readonly manifestName: string;
  /** JSON as it lies beside the data; empty: none */
  readonly manifest: string;
  /** JSON: positions in the chains that the window held; empty: not known */
  readonly positions: string;
}

export type RunChange = Partial<
  Pick<
    ExportRunRow,
    | 'state'
    | 'expectedRows'
    | 'rows'
    | 'bytes'
    | 'attempts'
    | 'startedAt'
    | 'endedAt'
    | 'nextAttemptMs'
    | 'problem'
    | 'objects'
    | 'manifestName'
    | 'manifest'
    | 'positions'
    | 'request'
    | 'owner'
  >
>;

export type NewRun = Pick<ExportRunRow, 'kind' | 'owner' | 'request' | 'fromNs' | 'toNs'> &
  Partial<Pick<ExportRunRow, 'scheduleId' | 'scheduleName' | 'supplement' | 'state' | 'expectedRows' | 'startedAt'>>;

export interface ExportRuns {
  add(run: NewRun): ExportRunRow;
  change(id: string, change: RunChange): void;
  find(id: string): ExportRunRow | undefined;
  /** newest first */
  page(query: {
    readonly scheduleId?: string;
    /** those of no schedule only */
    readonly unscheduled?: boolean;
    readonly before?: number;
    readonly limit: number;
  }): ExportRunRow[];
  /** of a schedule and not over, oldest first */
  open(scheduleId: string): ExportRunRow[];
  /** of a schedule, done, whose window ends after; oldest first */
  closedSince(scheduleId: string, toNs: bigint): ExportRunRow[];
  /** Marks what the process left behind when it ended. @returns how many */
  interrupt(at: string): number;
}

/** Next attempt of a run that somebody ended: only by hand. */
export const NEVER_MS = 8_000_000_000_000_000;
/** Of an export of now that the audit API did not outlive. */
export const INTERRUPTED = 'The audit API ended in the middle. Export again.';
const MOST_UNSCHEDULED = 2000;

const SETTERS: Readonly<
  Record<keyof RunChange, readonly [column: string, value: (change: RunChange) => string | number | null]>
> = {
  state: ['state', ({ state = '' }) => state],
  expectedRows: ['expected_rows', ({ expectedRows = null }) => expectedRows],
  rows: ['rows', ({ rows = 0 }) => rows],
  bytes: ['bytes', ({ bytes = 0 }) => bytes],
  attempts: ['attempts', ({ attempts = 0 }) => attempts],
  startedAt: ['started_at', ({ startedAt = '' }) => startedAt],
  endedAt: ['ended_at', ({ endedAt = '' }) => endedAt],
  nextAttemptMs: ['next_attempt_ms', ({ nextAttemptMs = 0 }) => nextAttemptMs],
  problem: ['problem', ({ problem = '' }) => problem],
  objects: ['objects', ({ objects = [] }) => JSON.stringify(objects)],
  manifestName: ['manifest_name', ({ manifestName = '' }) => manifestName],
  manifest: ['manifest', ({ manifest = '' }) => manifest],
  positions: ['positions', ({ positions = '' }) => positions],
  request: ['request', ({ request }) => JSON.stringify(request)],
  owner: ['owner', ({ owner }) => JSON.stringify(owner)],
};

export function createExportRuns(state: DatabaseSync): ExportRuns {
  const insert = state.prepare(
    `INSERT INTO export_runs SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, '', 0, '', '[]', '', '', '' FROM export_runs`
  );
  const one = state.prepare('SELECT * FROM export_runs WHERE id = ?');
  const all = state.prepare('SELECT * FROM export_runs WHERE number < ? ORDER BY number DESC LIMIT ?');
  const ofSchedule = state.prepare(
    'SELECT * FROM export_runs WHERE schedule_id = ? AND number < ? ORDER BY number DESC LIMIT ?'
  );
  const ofNone = state.prepare(
    `SELECT * FROM export_runs WHERE kind != 'scheduled' AND number < ? ORDER BY number DESC LIMIT ?`
  );
  const open = state.prepare(
    `SELECT * FROM export_runs WHERE schedule_id = ? AND state IN ('pending', 'running', 'retrying') ORDER BY number`
  );
  const closed = state.prepare(
    `SELECT * FROM export_runs WHERE schedule_id = ? AND state = 'done' AND length(to_ns) >= length(?) AND (length(to_ns) > length(?) OR to_ns > ?) ORDER BY number`
  );
  const forget = state.prepare(
    `DELETE FROM export_runs WHERE kind != 'scheduled' AND state NOT IN ('pending', 'running')
      AND number <= (SELECT number FROM export_runs WHERE kind != 'scheduled' ORDER BY number DESC LIMIT 1 OFFSET ${MOST_UNSCHEDULED})`
  );
  const interruptNow = state.prepare(
    `UPDATE export_runs SET state = 'failed', ended_at = ?, problem = '${INTERRUPTED}'
      WHERE kind != 'scheduled' AND state IN ('pending', 'running')`
  );
  const interruptScheduled = state.prepare(
    `UPDATE export_runs SET state = 'pending' WHERE kind = 'scheduled' AND state = 'running'`
  );
  const find = (id: string): ExportRunRow | undefined => {
    const row = one.get(id);
    return row === undefined ? undefined : runOf(row);
  };
  return {
    add: (run) => {
      const id = randomUUID();
      insert.run(
        id,
        run.kind,
        run.scheduleId ?? '',
        run.scheduleName ?? '',
        run.supplement ?? 0,
        run.state ?? 'pending',
        JSON.stringify(run.owner),
        JSON.stringify(run.request),
        `${run.fromNs}`,
        `${run.toNs}`,
        run.expectedRows ?? null,
        run.startedAt ?? ''
      );
      forget.run();
      const added = find(id);
      if (added === undefined) throw new TypeError('a run vanished');
      return added;
    },
    change: (id, change) => {
      const names = (Object.keys(change) as (keyof RunChange)[]).filter((name) => change[name] !== undefined);
      if (names.length === 0) return;
      const sets = names.map((name) => `${SETTERS[name][0]} = ?`).join(', ');
      state
        .prepare(`UPDATE export_runs SET ${sets} WHERE id = ?`)
        .run(...names.map((name) => SETTERS[name][1](change)), id);
    },
    find,
    page: ({ scheduleId, unscheduled, before = Number.MAX_SAFE_INTEGER, limit }) => {
      const found = scheduleId !== undefined ? ofSchedule.all(scheduleId, before, limit) : undefined;
      return (found ?? (unscheduled === true ? ofNone : all).all(before, limit)).map(runOf);
    },
    open: (scheduleId) => open.all(scheduleId).map(runOf),
    closedSince: (scheduleId, toNs) => closed.all(scheduleId, `${toNs}`, `${toNs}`, `${toNs}`).map(runOf),
    interrupt: (at) => Number(interruptNow.run(at).changes) + Number(interruptScheduled.run().changes),
  };
}

function runOf(row: Record<string, SQLOutputValue>): ExportRunRow {
  return {
    id: String(row.id),
    number: Number(row.number),
    kind: String(row.kind) as RunKind,
    scheduleId: String(row.schedule_id),
    scheduleName: String(row.schedule_name),
    supplement: Number(row.supplement),
    state: String(row.state) as RunState,
    owner: JSON.parse(String(row.owner)) as RunOwner,
    request: JSON.parse(String(row.request)) as RunRequest,
    fromNs: BigInt(String(row.from_ns)),
    toNs: BigInt(String(row.to_ns)),
    expectedRows: row.expected_rows === null ? undefined : Number(row.expected_rows),
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    attempts: Number(row.attempts),
    startedAt: String(row.started_at),
    endedAt: String(row.ended_at),
    nextAttemptMs: Number(row.next_attempt_ms),
    problem: String(row.problem),
    objects: JSON.parse(String(row.objects)) as RunObject[],
    manifestName: String(row.manifest_name),
    manifest: String(row.manifest),
    positions: String(row.positions),
  };
}
