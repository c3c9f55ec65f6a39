/**
 * What is exported: calls made inside the engine, all columns filled as a gateway fills them; payloads really sealed, half
 * of each body text that does not compress, as results of tools are. The past of each kind is its own, so that a range
 * takes one of them.
 */
import { randomBytes } from 'node:crypto';
import type { createStoreClient } from '../../gateway/src/store/client.ts';
import { publicKeyOf } from '../../gateway/src/protection/data-key-wrapping.ts';
import { createDataKeys } from '../../gateway/src/protection/data-keys.ts';
import { createPayloadSealer } from '../../gateway/src/protection/payload-sealer.ts';
import { createRedaction } from '../../gateway/src/protection/redaction.ts';
import type { Pseudonyms } from '../../gateway/src/protection/seams.ts';

const DAY_MS = 86_400_000;
export const RETENTION_MS = {
  metadata: 400 * DAY_MS,
  payloads: 90 * DAY_MS,
  accessLog: 2555 * DAY_MS,
  traces: 3 * DAY_MS,
  usage: 1095 * DAY_MS,
};
export const PRIVATE_KEY = randomBytes(32);
type ClickHouseClient = ReturnType<typeof createStoreClient>;
const ROWS_A_STATEMENT = 50_000;

/** Of the last 24 hours. */
export async function fillCalls(admin: ClickHouseClient, rows: number): Promise<void> {
  const hash = (seed: string, chars: number): string =>
    `lower(substring(hex(SHA256(concat('${seed}', toString(number)))), 1, ${chars}))`;
  const stepMs = Math.max(1, Math.floor((20 * 3_600_000) / rows));
  for (let from = 0; from < rows; from += ROWS_A_STATEMENT) {
    await admin.command({
      query: `INSERT INTO mcp.calls (record_version, kind, chain_id, seq, record_hash, phase, call_id, started_at, duration,
    upstream_duration, ttfb, upstream_attempts, upstream_transport, user_key, auth_method, key_name, teams, client_name,
    client_version, client_address, server, operation, tool, rpc_id, session_key, session_kind, protocol_version, trace_id,
    span_id, outcome, error_type, http_status, request_bytes, response_bytes, tokens_estimated, capture_mode, payload_state,
    request_sha256, response_sha256, policy_rule, demo, attributes)
SELECT 1, 'request', 'gw-1', number + 1, ${hash('h', 64)}, 'closed', ${hash('c', 36)},
    now64(9) - INTERVAL 22 HOUR + toIntervalMillisecond(number * ${stepMs}), 5000000 + number % 1000, 4000000, 1000000, 1, 'http',
    lower(substring(hex(SHA256(toString(number % 500))), 1, 32)), 'api_key', 'ci', ['team-a', 'team-b'], 'claude-code', '1.2.3', '10.0.0.7',
    concat('server-', toString(number % 12)), 'tools/call', concat('tool_', toString(number % 40)), toString(number),
    lower(substring(hex(SHA256(toString(number % 5000))), 1, 32)), 'mcp', '2025-11-25', ${hash('t', 32)}, ${hash('s', 16)},
    if(number % 20 = 0, 'tool_error', 'success'), if(number % 20 = 0, 'tool_error', ''), 200, 812, 4096 + number % 900, 900,
    'full', 'none', '', '', 'allow-all', false, map('mcp.protocol', 'x')
FROM numbers(${from}, ${Math.min(ROWS_A_STATEMENT, rows - from)})`,
    });
  }
  await admin.command({
    query: `INSERT INTO mcp_protected.principals SELECT lower(substring(hex(SHA256(toString(number))), 1, 32)),
    concat('person', toString(number), '@example.com'), concat('person', toString(number)), '', now64(3) FROM numbers(500)`,
  });
  await settle(admin, ['mcp.calls', 'mcp.chain']);
}

/** As days that are past: what is measured is the export, not the merges that a fill leaves behind. */
async function settle(admin: ClickHouseClient, tables: readonly string[]): Promise<void> {
  for (const table of tables) await admin.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
}

const EVENTS_AN_INSERT = 200;
let day = 40;

/** By the road of the collector. @returns the range that has these and nothing else */
export async function fillPayloads(
  admin: ClickHouseClient,
  pseudonyms: Pseudonyms,
  count: number,
  bodyBytes: number
): Promise<string> {
  day += 5;
  const startMs = Date.now() - day * DAY_MS;
  const dataKeys = createDataKeys({ gateway: 'gw-1', kekId: 'bench', publicKey: publicKeyOf(PRIVATE_KEY) });
  const sealer = createPayloadSealer({ dataKeys, pseudonyms, redaction: createRedaction() });
  const calls: object[] = [];
  let events: object[] = [];
  const flush = async (): Promise<void> => {
    if (events.length > 0) {
      await admin.insert({ table: 'mcp_protected.otel_logs', format: 'JSONEachRow', values: events });
    }
    events = [];
  };
  for (let index = 0; index < count; index++) {
    const ms = startMs + index * 20;
    const at = `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')}000000`;
    const callId = `bench-${day}-${String(index).padStart(8, '0')}`;
    const subject = pseudonyms.hash('user', `person${index % 20}@example.com`);
    const digests: Record<string, string> = {};
    for (const direction of ['request', 'response'] as const) {
      const body = bodyOf(bodyBytes);
      const sealed = await sealer.seal({
        callId,
        direction,
        subject,
        mode: 'full',
        format: 'json',
        headers: [['content-type', 'application/json']],
        chunks: [body],
        bytes: body.length,
      });
      const { envelope, newKey } = sealed;
      if (newKey !== undefined) {
        events.push({
          EventName: 'gatelens.data_key',
          Timestamp: at,
          Body: Buffer.from(newKey.wrapped).toString('base64'),
          LogAttributes: {
            'gatelens.data_key.id': newKey.keyId,
            'user.hash': subject,
            'gatelens.chain.id': 'gw-1',
            'gatelens.data_key.epoch': newKey.epoch,
            'gatelens.data_key.kek_id': 'bench',
          },
        });
      }
      digests[`${direction}_sha256`] = sealed.sha256;
      events.push({
        EventName: `gatelens.payload.${direction}`,
        Timestamp: at,
        Body: Buffer.from(envelope.ct).toString('base64'),
        LogAttributes: {
          'gatelens.call.id': callId,
          'gatelens.payload.direction': direction,
          'gatelens.call.started_at': `${BigInt(ms) * 1_000_000n}`,
          'user.hash': subject,
          'gatelens.server.name': 'server-1',
          'gatelens.envelope.v': String(envelope.v),
          'gatelens.envelope.alg': envelope.alg,
          'gatelens.envelope.key_id': envelope.keyId,
          'gatelens.envelope.nonce': Buffer.from(envelope.nonce).toString('base64'),
          'gatelens.envelope.comp': envelope.comp,
          'gatelens.payload.sha256': sealed.sha256,
          'gatelens.payload.bytes': String(body.length),
          'gatelens.capture.mode': 'full',
        },
      });
    }
    calls.push({
      record_version: 1,
      kind: 'request',
      chain_id: 'gw-2',
      seq: day * 1_000_000 + index,
      phase: 'closed',
      call_id: callId,
      started_at: at,
      duration: 5_000_000,
      user_key: subject,
      server: 'server-1',
      operation: 'tools/call',
      tool: 'read',
      outcome: 'success',
      request_bytes: bodyBytes,
      response_bytes: bodyBytes,
      payload_state: 'sealed',
      ...digests,
    });
    if (events.length >= EVENTS_AN_INSERT) await flush();
  }
  await flush();
  await admin.insert({ table: 'mcp.calls', format: 'JSONEachRow', values: calls });
  await settle(admin, ['mcp.calls', 'mcp_protected.payload_events', 'mcp_protected.data_keys']);
  return `from=${new Date(startMs - 1000).toISOString()}&to=${new Date(startMs + count * 20 + 1000).toISOString()}`;
}

/** JSON of about so many bytes; half of it is random and compresses little, half is prose. */
function bodyOf(bytes: number): Buffer {
  const half = Math.floor((bytes - 11) / 2);
  const random = randomBytes(half).toString('base64').slice(0, half);
  const prose = 'the quick brown fox jumps over a lazy dog. '.repeat(Math.ceil(half / 43)).slice(0, half);
  return Buffer.from(JSON.stringify({ text: random + prose }));
}
