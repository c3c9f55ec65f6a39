/**
 * Legal holds in the store: who wants what to be kept, since when. While one is in force no TTL removes a record, a
 * payload or an access record, whoever they belong to (ADR 9 says why all and not some); migrations.ts asks here. Adds
 * rows, changes none; decides nothing about who may set one.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { inStore } from './client.ts';
import type { RetentionClass } from './migration-files.ts';
import type { StoreReader } from './queries/reader.ts';

export interface LegalHold {
  readonly id: string;
  readonly reason: string;
  readonly setBy: string;
  /** ms since 1970 */
  readonly setAtMs: number;
  /** keyed hash of the person; `''`: everybody */
  readonly userKey: string;
  /** `''`: all */
  readonly server: string;
  /** ms since 1970; 0: from the first record on */
  readonly fromMs: number;
  /** ms since 1970, exclusive; 0: without end */
  readonly toMs: number;
  /** ms since 1970; 0: in force */
  readonly releasedAtMs: number;
  readonly releasedBy: string;
}

/** What raw spans and usage figures say follows from the records, so their retention goes on. */
const HELD_CLASSES: readonly RetentionClass[] = ['metadata', 'payloads', 'accessLog'];

const TABLE = 'mcp_protected.legal_holds';

const SELECT = `SELECT hold_id AS id, reason, set_by AS setBy, toUnixTimestamp64Milli(set_at) AS setAtMs, user_key AS userKey, server,
    toUnixTimestamp64Milli(held_from) AS fromMs, toUnixTimestamp64Milli(held_to) AS toMs,
    toUnixTimestamp64Milli(released_at) AS releasedAtMs, released_by AS releasedBy
FROM ${TABLE} FINAL`;

export function isHeldClass(name: RetentionClass): boolean {
  return HELD_CLASSES.includes(name);
}

/** Released ones too, oldest first; none in a store that is older than holds. @throws GatelensError `store_unavailable` */
export async function readHolds(store: StoreReader): Promise<LegalHold[]> {
  return inStore(async () => {
    const exists = await store.query(
      `SELECT 1 FROM system.tables WHERE database = 'mcp_protected' AND name = 'legal_holds'`,
      {}
    );
    if (exists.length === 0) return [];
    return (await store.query<HoldRow>(`${SELECT} ORDER BY set_at, hold_id`, {})).map(holdOf);
  });
}

type HoldRow = Record<keyof LegalHold, string | number>;

function holdOf(row: HoldRow): LegalHold {
  const ms = (name: 'setAtMs' | 'fromMs' | 'toMs' | 'releasedAtMs'): number => Number(row[name]);
  return {
    id: String(row.id),
    reason: String(row.reason),
    setBy: String(row.setBy),
    setAtMs: ms('setAtMs'),
    userKey: String(row.userKey),
    server: String(row.server),
    fromMs: ms('fromMs'),
    toMs: ms('toMs'),
    releasedAtMs: ms('releasedAtMs'),
    releasedBy: String(row.releasedBy),
  };
}

export function inForce(holds: readonly LegalHold[]): LegalHold[] {
  return holds.filter((hold) => hold.releasedAtMs === 0);
}

/**
 * Holds that forbid to erase a person. One for a server or a time covers everybody: what a gateway has not delivered yet
 * may be theirs, too, and a key that is destroyed does not come back.
 */
export function holdsOn(holds: readonly LegalHold[], userKey: string): LegalHold[] {
  return inForce(holds).filter((hold) => hold.userKey === '' || hold.userKey === userKey);
}

/** A new one, or the release of one that there is. @param sharded as in SchemaTarget */
export async function writeHold(client: ClickHouseClient, hold: LegalHold, sharded: boolean): Promise<void> {
  const values = [
    {
      hold_id: hold.id,
      reason: hold.reason,
      set_by: hold.setBy,
      set_at: clickHouseTime(hold.setAtMs),
      user_key: hold.userKey,
      server: hold.server,
      held_from: clickHouseTime(hold.fromMs),
      held_to: clickHouseTime(hold.toMs),
      released_at: clickHouseTime(hold.releasedAtMs),
      released_by: hold.releasedBy,
      version: hold.releasedAtMs === 0 ? 0 : 1,
    },
  ];
  // a Distributed table would take the row now and deliver it later
  const settings = sharded ? { clickhouse_settings: { distributed_foreground_insert: 1 as const } } : {};
  await inStore(() => client.insert({ table: TABLE, format: 'JSONEachRow', values, ...settings }));
}

function clickHouseTime(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}
