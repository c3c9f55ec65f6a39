/**
 * Bytes on disk of a million calls, from the rows that bench:ui fills with: per table and per column, after a merge to
 * one part a partition. What the gateway adds to a payload besides its ciphertext is measured on events of its shape.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStoreClient } from '../../gateway/src/store/client.ts';
import { fillStore } from '../ui/fill.ts';

export interface Storage {
  readonly calls: number;
  /** bytes a call, by table */
  readonly tables: Readonly<Record<string, number>>;
  /** the largest columns of all of them, bytes a call */
  readonly columns: readonly (readonly [column: string, bytes: number])[];
  /** of the same rows, by what was tried */
  readonly tried: Readonly<Record<string, number>>;
}

/** Texts of hexadecimal digits: half of each byte is known. */
const HEX = ['record_hash', 'request_sha256', 'response_sha256', 'trace_id', 'span_id', 'session_key'];
/** What is there longer than the raw spans' three days. */
const KEPT = ['mcp.calls', 'mcp.chain', 'mcp.usage_hour', 'mcp.usage_user_hour', 'mcp_protected.payload_events'];
const FIGURES = [
  'calls',
  'duration_sum',
  'upstream_duration_sum',
  'request_bytes',
  'response_bytes',
  'tokens_estimated',
];

export async function measureStorage(calls: number, tell: (line: string) => void): Promise<Storage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatelens-bench-'));
  const filled = await fillStore({ dataDir, calls, nowMs: Date.now(), tell });
  const admin = createStoreClient({
    url: filled.store.url,
    ...filled.store.credentials.gatelens_admin,
    requestTimeoutMs: 600_000,
  });
  const rows = async <Row>(query: string): Promise<Row[]> =>
    (await admin.query({ query, format: 'JSONEachRow' })).json<Row>();
  const bytesOf = async (table: string): Promise<number> => {
    const [row] = await rows<{ n: string }>(
      `SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE active AND concat(database, '.', table) = '${table}'`
    );
    return Number(row?.n ?? 0) / calls;
  };
  const merge = (table: string): Promise<unknown> => admin.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
  try {
    tell('filling the chain and the payloads …');
    const weeks = await rows<{ week: string }>('SELECT DISTINCT toString(toMonday(started_at)) AS week FROM mcp.calls');
    /** week by week and slowly: the store has little memory */
    const copy = async (insert: (from: string, ofWeek: (time: string) => string) => string): Promise<void> => {
      for (const { week } of weeks) {
        const ofWeek = (time: string): string => `toMonday(${time}) = toDate('${week}')`;
        const from = `(SELECT * FROM mcp.calls WHERE ${ofWeek('started_at')})`;
        const settings = 'SETTINGS max_threads = 1, max_insert_threads = 1, max_block_size = 8192';
        await admin.command({ query: `${insert(from, ofWeek)} ${settings}` });
      }
    };
    await copy(
      (from) => `INSERT INTO mcp.chain SELECT chain_id, seq, record_hash, call_id, kind, started_at FROM ${from}`
    );
    // what an event has besides its ciphertext, which is counted apart
    await copy(
      (
        from
      ) => `INSERT INTO mcp_protected.payload_events (call_id, direction, started_at, user_key, server, v, alg, key_id,
          nonce, comp, ciphertext, sha256, digest, bytes, truncated, mode, demo)
        SELECT call_id, way, started_at, user_key, server, 1, 'A256GCM',
          concat(substring(user_key, 1, 16), '-', toString(toYYYYMM(started_at))),
          base64Encode(substring(unhex(record_hash), if(way = 'request', 1, 13), 12)), 'br', '',
          if(way = 'request', request_sha256, response_sha256), lower(hex(sipHash128(call_id, way))),
          response_bytes, false, 'full', false
        FROM ${from} ARRAY JOIN ['request', 'response'] AS way WHERE kind = 'request'`
    );
    tell('merging …');
    for (const table of KEPT) await merge(table);
    const tables: Record<string, number> = {};
    for (const table of KEPT) tables[table] = await bytesOf(table);
    const columns = await rows<{ column: string; bytes: string }>(
      `SELECT concat(table, '.', column) AS column, sum(column_bytes_on_disk) AS bytes FROM system.parts_columns
       WHERE active AND concat(database, '.', table) IN (${KEPT.map((table) => `'${table}'`).join(', ')})
       GROUP BY column ORDER BY bytes DESC LIMIT 12`
    );
    const tried: Record<string, number> = {};
    const attempt = async (what: string, table: string, alter: readonly string[]): Promise<void> => {
      tell(`trying ${what} …`);
      await admin.command({ query: 'DROP TABLE IF EXISTS mcp.tried SYNC' });
      await admin.command({ query: `CREATE TABLE mcp.tried AS ${table}` });
      for (const one of alter) await admin.command({ query: `ALTER TABLE mcp.tried ${one}` });
      const time = table.includes('usage') ? 'hour' : 'started_at';
      await copy((_from, week) => `INSERT INTO mcp.tried SELECT * FROM ${table} WHERE ${week(time)}`);
      await merge('mcp.tried');
      tried[`${table}: ${what}`] = await bytesOf('mcp.tried');
    };
    // what 0011 changed, as it was before
    const plain = FIGURES.map((column) => `MODIFY COLUMN ${column} REMOVE CODEC`);
    await attempt('figures without codecs', 'mcp.usage_hour', plain);
    await attempt('figures without codecs', 'mcp.usage_user_hour', plain);
    await attempt('nonce uncompressed', 'mcp_protected.payload_events', ['MODIFY COLUMN nonce String CODEC(NONE)']);
    await attempt(
      'ZSTD(3) for hashes and ids',
      'mcp.calls',
      HEX.map((column) => `MODIFY COLUMN ${column} String CODEC(ZSTD(3))`)
    );
    await attempt('no bloom indexes', 'mcp.calls', [
      'DROP INDEX idx_call_id',
      'DROP INDEX idx_user_key',
      'DROP INDEX idx_session_key',
      'DROP INDEX idx_trace_id',
    ]);
    return { calls, tables, columns: columns.map(({ column, bytes }) => [column, Number(bytes) / calls]), tried };
  } finally {
    await admin.close();
    await filled.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
