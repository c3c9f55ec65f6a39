/**
 * Fills a data directory with calls as the gateway would have recorded them over the last 30 days, in minutes and not in
 * weeks: rows are made inside the engine, day by day, in the shape of `mcp.calls`, with office hours, errors, streams and
 * sessions. Like real deliveries, some rows come twice, and the last hour comes in many small batches. No payloads. What
 * was filled before is opened as it is, and gets the migrations that came since.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadKeyring } from '../../gateway/src/protection/keyring.ts';
import { createPseudonyms } from '../../gateway/src/protection/pseudonyms.ts';
import type { Pseudonyms } from '../../gateway/src/protection/seams.ts';
import { silentLogger } from '../../gateway/src/logger.ts';
import { createStoreClient } from '../../gateway/src/store/client.ts';
import { type EmbeddedStore, startEmbeddedStore } from '../../gateway/src/store/embedded/supervisor.ts';
import { migrate } from '../../gateway/src/store/migrations.ts';
import { CLIENTS, PEOPLE, SERVERS, VERBS } from './company.ts';

const DAY_MS = 86_400_000;
export const DAYS = 30;
/** As in the configuration's defaults. */
export const RETENTION_MS = {
  metadata: 400 * DAY_MS,
  payloads: 90 * DAY_MS,
  accessLog: 2555 * DAY_MS,
  traces: 3 * DAY_MS,
  usage: 1096 * DAY_MS,
};
const MERGE_PATIENCE_SECONDS = 300;
const BATCHES_OF_LAST_HOUR = 40;
const ROWS_OF_A_BATCH = 25;
/** Of each day, delivered a second time. */
const DELIVERED_TWICE = 200;

type Admin = ReturnType<typeof createStoreClient>;

export interface FilledStore {
  readonly store: EmbeddedStore;
  readonly pseudonyms: Pseudonyms;
  /** calls that are stored, each counted once */
  readonly calls: number;
  /** how long that took */
  readonly fillMs: number;
  close(): Promise<void>;
}

export interface FillOptions {
  /** an empty directory, or one filled before; afterwards one like any other, that `gatelens serve` opens too */
  readonly dataDir: string;
  readonly calls: number;
  /** the end of the 30 days */
  readonly nowMs: number;
  readonly tell?: (line: string) => void;
}

interface Filled {
  readonly calls: number;
  readonly fillMs: number;
}

/** Leaves the store running; whoever wants it for another process closes it first. */
export async function fillStore({ dataDir, calls, nowMs, tell }: FillOptions): Promise<FilledStore> {
  const startedMs = performance.now();
  const mark = join(dataDir, 'filled.json');
  const before = existsSync(mark) ? (JSON.parse(readFileSync(mark, 'utf8')) as Filled) : undefined;
  const pseudonyms = createPseudonyms(loadKeyring({ dataDir }).pseudonymSecret);
  const store = await startEmbeddedStore({ dataDir, logger: silentLogger });
  const admin = createStoreClient({
    url: store.url,
    ...store.credentials.gatelens_admin,
    requestTimeoutMs: 600_000,
  });
  try {
    await migrate({ client: admin, target: { embedded: true, retentionMs: RETENTION_MS }, logger: silentLogger });
    if (before !== undefined) return { store, pseudonyms, ...before, close: () => store.close() };
    const rollups = await refreshedViews(admin);
    // they would miss what is filled in with an old time of arrival; started again they find everything at once
    for (const view of rollups) await admin.command({ query: `SYSTEM STOP VIEW ${view}` });
    await insertPeople(admin, pseudonyms);
    const stored = await insertDays(admin, { calls, nowMs, pseudonyms, ...(tell === undefined ? {} : { tell }) });
    for (const view of rollups) {
      await admin.command({ query: `SYSTEM START VIEW ${view}` });
      await admin.command({ query: `SYSTEM REFRESH VIEW ${view}` });
      await admin.command({ query: `SYSTEM WAIT VIEW ${view}` });
    }
    tell?.('waiting until the store has merged the past weeks, as it does an hour after the last delivery');
    await mergePast(admin, nowMs);
    const filled: Filled = { calls: stored, fillMs: performance.now() - startedMs };
    writeFileSync(mark, JSON.stringify(filled));
    return { store, pseudonyms, ...filled, close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  } finally {
    await admin.close();
  }
}

/** By the store's own doing, only sooner. */
async function mergePast(admin: Admin, nowMs: number): Promise<void> {
  const tables = ['calls', 'usage_minute', 'usage_hour', 'usage_user_hour'];
  const seconds = (value: number): Promise<unknown> =>
    Promise.all(
      tables.map((table) =>
        admin.command({ query: `ALTER TABLE mcp.${table} MODIFY SETTING min_age_to_force_merge_seconds = ${value}` })
      )
    );
  const query = `SELECT max(parts) AS most FROM (
    SELECT count() AS parts FROM system.parts
    WHERE database = 'mcp' AND table = 'calls' AND active AND partition < toString(toMonday(toDate({now:UInt32})))
    GROUP BY partition)`;
  await seconds(1);
  for (let most = Infinity, waited = 0; most > 1; waited += 1) {
    if (waited > MERGE_PATIENCE_SECONDS) throw new Error('The store does not merge past weeks.');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const answer = await admin.query({ query, query_params: { now: Math.floor(nowMs / 1000) }, format: 'JSONEachRow' });
    const [row] = await answer.json<{ most: string }>();
    most = Number(row?.most ?? 0);
  }
  await seconds(3600);
}

async function refreshedViews(admin: Admin): Promise<string[]> {
  const query = `SELECT view FROM system.view_refreshes WHERE database = 'mcp'`;
  const rows = await (await admin.query({ query, format: 'JSONEachRow' })).json<{ view: string }>();
  return rows.map(({ view }) => `mcp.${view}`);
}

async function insertPeople(admin: Admin, pseudonyms: Pseudonyms): Promise<void> {
  const values = PEOPLE.map((email) => {
    const login = email.slice(0, email.indexOf('@'));
    return { user_key: pseudonyms.hash('user', email), email, login, name: login, seen_at: '2026-01-01 00:00:00.000' };
  });
  await admin.insert({ table: 'mcp_protected.principals', format: 'JSONEachRow', values });
}

async function insertDays(
  admin: Admin,
  { calls, nowMs, pseudonyms, tell }: Omit<FillOptions, 'dataDir'> & { readonly pseudonyms: Pseudonyms }
): Promise<number> {
  const lastHour = BATCHES_OF_LAST_HOUR * ROWS_OF_A_BATCH;
  const ofADay = Math.ceil((calls - lastHour) / DAYS);
  const common = {
    users: PEOPLE.map((email) => pseudonyms.hash('user', email)),
    servers: [...SERVERS],
    verbs: [...VERBS],
    clients: CLIENTS.map(([name]) => name),
    releases: CLIENTS.map(([, version]) => version),
  };
  const insert = (span: Span): Promise<unknown> =>
    admin.command({
      query: INSERT,
      query_params: { ...common, ...span },
      use_multipart_params_auto: true,
    });
  const endMs = nowMs - 3_600_000;
  let first = 0;
  for (let day = DAYS; day > 0; day -= 1) {
    const fromMs = endMs - day * DAY_MS;
    const count = Math.min(ofADay, calls - lastHour - first);
    const span = { first, count, fromMs, spanMs: DAY_MS, officeHours: 1 as const };
    await insert(span);
    await insert({ ...span, count: Math.min(DELIVERED_TWICE, count) });
    first += count;
    if (day % 10 === 1) tell?.(`filled ${first} of ${calls} calls`);
  }
  for (let batch = 0; batch < BATCHES_OF_LAST_HOUR; batch += 1) {
    const spanMs = 3_600_000 / BATCHES_OF_LAST_HOUR;
    await insert({ first, count: ROWS_OF_A_BATCH, fromMs: endMs + batch * spanMs, spanMs, officeHours: 0 });
    first += ROWS_OF_A_BATCH;
  }
  return first;
}

interface Span {
  /** number of the first row: what a row says follows from its number, so it can be delivered again */
  readonly first: number;
  readonly count: number;
  readonly fromMs: number;
  readonly spanMs: number;
  /** 1: most calls by day; 0: evenly */
  readonly officeHours: 0 | 1;
}

/** A number from 0 to 1 that belongs to a row and a question. */
const chance = (salt: number): string => `(cityHash64(n, ${salt}) % 1000003 / 1000003)`;
/** Index from 1, the first ones more often. */
const skewed = (salt: number, list: string, power: number): string =>
  `least(toUInt32(length(${list})), toUInt32(floor(length(${list}) * pow(${chance(salt)}, ${power}))) + 1)`;

const INSERT = `INSERT INTO mcp.calls (record_version, kind, chain_id, seq, record_hash, phase, call_id, started_at,
    ingested_at, duration, upstream_duration, ttfb, upstream_attempts, upstream_transport, user_key, auth_method, key_name,
    teams, client_name, client_version, client_address, server, operation, tool, resource_uri, rpc_id, session_key,
    session_kind, protocol_version, trace_id, span_id, outcome, error_type, error_code, http_status, request_bytes,
    response_bytes, tokens_estimated, capture_mode, payload_state, request_sha256, response_sha256, policy_rule, denied_by,
    attributes)
WITH
    {first:UInt64} + number AS n,
    if({officeHours:UInt8} = 1,
        {spanMs:Float64} * least(1, greatest(0, 0.42 + 0.11 * sqrt(-2 * log(${chance(1)} + 1e-9)) * cos(6.283 * ${chance(2)}))),
        {spanMs:Float64} * ${chance(1)}) AS in_span_ms,
    toInt64({fromMs:Int64}) + toInt64(in_span_ms) AS at_ms,
    at_ms * 1000000 + toInt64(cityHash64(n, 3) % 1000000) AS at_ns,
    ${chance(4)} AS k,
    multiIf(k < 0.94, 'request', k < 0.97, 'notification', k < 0.985, 'server_request', k < 0.99, 'stream', 'attempt') AS what,
    ${chance(5)} AS m,
    multiIf(what = 'notification', 'notifications/progress', what = 'server_request', 'sampling/createMessage',
        what = 'stream', 'GET', m < 0.86, 'tools/call', m < 0.9, 'initialize', m < 0.95, 'tools/list', m < 0.98,
        'resources/read', 'prompts/get') AS method,
    ${skewed(6, '{users:Array(String)}', 2)} AS person,
    ${skewed(7, '{servers:Array(String)}', 1.4)} AS at_server,
    ${skewed(8, '{verbs:Array(String)}', 1.6)} AS verb,
    (person * 7 + intDiv(n, 40000)) % length({clients:Array(String)}) + 1 AS of_client,
    ${chance(9)} AS o,
    multiIf(what = 'attempt', 'denied', what != 'request', 'success', o < 0.93, 'success', o < 0.962, 'tool_error', o < 0.972,
        'rpc_error', o < 0.984, 'denied', o < 0.99, 'cancelled', o < 0.996, 'timeout', 'upstream_unreachable') AS ended,
    toUInt64(exp(14 + at_server * 0.35 + verb * 0.2
        + 0.8 * sqrt(-2 * log(${chance(10)} + 1e-9)) * cos(6.283 * ${chance(11)}))) AS took,
    hex(sipHash128(n, 12)) AS random_a,
    hex(sipHash128(n, 13)) AS random_b,
    leftPad(lower(hex(at_ms)), 12, '0') AS stamp
SELECT 1, what, 'bench', n, lower(concat(random_a, random_b)), 'closed',
    lower(concat(substring(right(stamp, 12), 1, 8), '-', substring(right(stamp, 12), 9, 4), '-7', substring(random_a, 1, 3), '-8', substring(random_a, 4, 3), '-',
        substring(random_b, 1, 12))),
    fromUnixTimestamp64Nano(at_ns, 'UTC'), fromUnixTimestamp64Milli(at_ms + 900, 'UTC'), took, toUInt64(took * 0.9),
    toUInt64(took * 0.7), what != 'attempt', if(at_server % 3 = 0, 'stdio', 'http'), {users:Array(String)}[person], 'api_key',
    concat('key-', toString(person)), [concat('team-', toString(person % 9))], {clients:Array(String)}[of_client],
    {releases:Array(String)}[of_client], concat('192.0.2.', toString(person % 250)), {servers:Array(String)}[at_server], method,
    if(method = 'tools/call', concat({verbs:Array(String)}[verb], '_', {servers:Array(String)}[at_server]), ''),
    if(method = 'resources/read', concat('docs://', {servers:Array(String)}[at_server], '/page-', toString(n % 400)), ''),
    if(what IN ('request', 'server_request'), toString(n % 40), ''),
    lower(hex(sipHash128(person, at_server, intDiv(at_ms, 1800000)))), 'mcp', '2025-11-25', lower(random_b),
    lower(substring(random_a, 1, 16)), ended, if(ended IN ('success', 'cancelled'), '', ended),
    multiIf(ended = 'rpc_error', -32603, ended = 'denied', -32001, 0), multiIf(ended = 'timeout', 504, ended = 'upstream_unreachable', 502, 200),
    120 + cityHash64(n, 14) % 900, 200 + toUInt64(exp(7 + 2 * ${chance(15)})), 50 + cityHash64(n, 16) % 2000, 'full', 'sealed',
    lower(concat(random_b, random_a)), lower(concat(hex(sipHash128(n, 17)), hex(sipHash128(n, 18)))), 'everybody', if(ended = 'denied', 'policy', ''),
    map('server.address', concat({servers:Array(String)}[at_server], '.example.com'))
FROM numbers({count:UInt64})
SETTINGS max_insert_block_size = 65536, max_threads = 2`;
