/**
 * Erasure in the store: every data key of a person is replaced by a row without one, and the row with the name goes. The
 * sealed payloads stay until their retention is over, and nobody can open them. Stands behind `gatelens erase`, which asks
 * for confirmation and records first; decides nothing.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { GatelensError } from '../errors.ts';
import { inStore } from './client.ts';
import type { SchemaTarget } from './migration-files.ts';
import { renderStatement } from './migration-files.ts';
import { localName } from './sharded-ddl.ts';

export interface KnownSubject {
  /** data keys that still open something */
  readonly keys: number;
  /** parts of payloads that they open */
  readonly payloads: number;
  /** whether a name is known */
  readonly named: boolean;
}

const KEYS = 'mcp_protected.data_keys';
const PRINCIPALS = 'mcp_protected.principals';

/** @param userKey keyed hash of the person */
export async function knownSubject(client: ClickHouseClient, userKey: string): Promise<KnownSubject> {
  const row = await inStore(async () => {
    const result = await client.query({
      query: `SELECT
    (SELECT count() FROM ${KEYS} FINAL WHERE subject = {userKey:String} AND wrapped != '') AS keys,
    (SELECT count() FROM mcp_protected.payload_events FINAL WHERE user_key = {userKey:String}
        AND key_id IN (SELECT key_id FROM ${KEYS} FINAL WHERE subject = {userKey:String} AND wrapped != '')) AS payloads,
    (SELECT count() FROM ${PRINCIPALS} FINAL WHERE user_key = {userKey:String}) AS named`,
      query_params: { userKey },
      format: 'JSONEachRow',
    });
    const [first] = await result.json<{ keys: string; payloads: string; named: string }>();
    return first;
  });
  return {
    keys: Number(row?.keys ?? 0),
    payloads: Number(row?.payloads ?? 0),
    named: Number(row?.named ?? 0) > 0,
  };
}

/**
 * A key that a gateway has not delivered yet is not there to be destroyed: whoever erases looks again afterwards.
 * @throws GatelensError `store_unavailable`; what was destroyed by then stays destroyed, and it may be run again
 */
export async function eraseSubject(client: ClickHouseClient, userKey: string, target: SchemaTarget): Promise<void> {
  if (!/^[\w-]+$/.test(userKey)) throw new GatelensError('internal', 'This is no key of a person.');
  const rows = (table: string): string => `${target.sharded === true ? localName(table) : table} {{on_cluster}}`;
  await inStore(async () => {
    await client.command({
      query: `INSERT INTO ${KEYS} (key_id, subject, gateway, epoch, kek_id, wrapped, created_at, destroyed_at, version)
SELECT key_id, subject, gateway, epoch, kek_id, '', created_at, now64(3), 1
FROM ${KEYS} FINAL
WHERE subject = '${userKey}' AND version = 0`,
      clickhouse_settings: target.sharded === true ? { distributed_foreground_insert: 1 } : {},
    });
    const statements = [
      `ALTER TABLE ${rows(PRINCIPALS)} DELETE WHERE user_key = '${userKey}' SETTINGS mutations_sync = 2`,
      // takes the rows with the keys from the disk; their files go some minutes later
      `OPTIMIZE TABLE ${rows(KEYS)} FINAL`,
    ];
    for (const statement of statements) await client.command({ query: renderStatement(statement, target) });
  });
}
