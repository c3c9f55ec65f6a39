/**
 * A small hour of traffic whose figures can be counted by hand, and three days before it an hour in which everything was
 * denied. Written straight into the tables behind the views.
 */
import type { TestStore } from '../store/test-store.ts';

const MINUTE_MS = 60_000;

export interface SampleTimes {
  readonly nowMs: number;
  /** the hour that ends here has the sample */
  readonly knownEndMs: number;
  /** the hour that ends here has denied calls only */
  readonly deniedEndMs: number;
}

export function sampleTimes(nowMs: number): SampleTimes {
  return { nowMs, knownEndMs: nowMs, deniedEndMs: nowMs - 3 * 86_400_000 };
}

const iso = (ms: number): string => new Date(ms).toISOString().replace('Z', '');

interface Made {
  readonly count: number;
  readonly ms: number;
  readonly row: Readonly<Record<string, unknown>>;
}

let made = 0;
function calls({ count, ms, row }: Made): Record<string, unknown>[] {
  return Array.from({ length: count }, () => {
    made += 1;
    return {
      record_version: 1,
      kind: 'request',
      phase: 'closed',
      chain_id: 'sample',
      seq: made,
      call_id: `sample-${made}`,
      started_at: iso(ms + made),
      user_key: 'key-of-a-person',
      client_address: '203.0.113.7',
      operation: 'tools/call',
      outcome: 'success',
      client_name: 'cursor',
      client_version: '1.2',
      protocol_version: '2025-11-25',
      request_bytes: 50,
      response_bytes: 400,
      tokens_estimated: 100,
      ...row,
    };
  });
}

const MS = 1_000_000;

/** docs: 20 calls of `search` (4 fail) and a list; files: 20 of `read` (1 fails); 3 refused before a server. */
export async function insertSample(store: TestStore, { nowMs, deniedEndMs }: SampleTimes): Promise<void> {
  const admin = store.client('gatelens_admin');
  const at = nowMs - 5 * MINUTE_MS;
  const docs = { server: 'docs', tool: 'search' };
  const files = { server: 'files', tool: 'read' };
  const gone = deniedEndMs - 5 * MINUTE_MS;
  const denied = { outcome: 'denied', denied_by: 'policy', tokens_estimated: 0, duration: MS };
  const values = [
    { count: 16, ms: at, row: { ...docs, duration: 10 * MS, upstream_duration: 8 * MS } },
    {
      count: 4,
      ms: at,
      row: {
        ...docs,
        duration: 100 * MS,
        upstream_duration: 98 * MS,
        outcome: 'tool_error',
        error_type: 'tool_error',
      },
    },
    {
      count: 1,
      ms: at,
      row: { server: 'docs', operation: 'tools/list', duration: 10 * MS, upstream_duration: 8 * MS },
    },
    { count: 19, ms: at, row: { ...files, duration: 20 * MS, upstream_duration: 20 * MS, client_name: 'zed' } },
    {
      count: 1,
      ms: at,
      row: { ...files, duration: 200 * MS, upstream_duration: 200 * MS, outcome: 'rpc_error', error_type: '-32603' },
    },
    { count: 3, ms: at, row: { ...docs, ...denied, kind: 'attempt' } },
    // nothing of these counts as a request
    { count: 2, ms: at, row: { ...docs, kind: 'notification' } },
    { count: 1, ms: at, row: { ...docs, kind: 'stream', phase: 'open' } },
    { count: 2, ms: at, row: { ...docs, demo: true, outcome: 'timeout' } },
    { count: 25, ms: gone, row: { ...docs, ...denied } },
    { count: 25, ms: gone, row: { ...docs, ...denied, kind: 'attempt', denied_by: 'authentication' } },
  ].flatMap(calls);
  await admin.insert({ table: 'mcp.calls', format: 'JSONEachRow', values });
  for (const view of ['usage_minute_refresh', 'usage_hour_refresh']) {
    await admin.command({ query: `SYSTEM REFRESH VIEW mcp.${view}` });
    await admin.command({ query: `SYSTEM WAIT VIEW mcp.${view}` });
  }
  await insertReports(store, nowMs);
  await insertAccess(store, nowMs);
  await admin.insert({
    table: 'mcp.tool_changes',
    format: 'JSONEachRow',
    values: [
      { change_id: 'a', server: 'files', change: 'first_seen', tools: 3, started_at: iso(at) },
      {
        change_id: 'b',
        server: 'docs',
        change: 'changed',
        tools: 5,
        added: ['x'],
        changed: ['y', 'z'],
        started_at: iso(at),
      },
    ],
  });
}

/** A gateway with a broken chain, a loss and a backlog of 700 s; an audit API with nothing wrong. */
async function insertReports(store: TestStore, nowMs: number): Promise<void> {
  const admin = store.client('gatelens_admin');
  const link = (chain: string, seq: number, hash: string) => ({
    chain_id: chain,
    seq,
    record_hash: hash,
    started_at: iso(nowMs - 30 * MINUTE_MS),
  });
  await admin.insert({
    table: 'mcp.chain',
    format: 'JSONEachRow',
    values: [link('gw', 1, 'a'), link('gw', 3, 'c'), link('gw', 3, 'forged'), link('api', 1, 'a'), link('api', 2, 'b')],
  });
  const report = (component: string, chain: string, minutesAgo: number, more: Record<string, unknown>) => {
    const at = nowMs - minutesAgo * MINUTE_MS;
    return { component, chain_id: chain, at: iso(at), ingested_at: iso(at + 2000), ...more };
  };
  const ns = (ms: number): string => `${BigInt(ms) * 1_000_000n}`;
  const newest = nowMs - MINUTE_MS;
  const verified = { last_verify_at: ns(newest - 86_400_000) };
  await admin.insert({
    table: 'mcp.health',
    format: 'JSONEachRow',
    values: [
      report('gateway', 'gw', 20, { head_seq: 3, head_hash: 'c', recorded: 50, shipped: 50 }),
      report('gateway', 'gw', 1, {
        head_seq: 9,
        head_hash: 'i',
        seen: 102,
        recorded: 100,
        shipped: 90,
        lost: 2,
        refused: 3,
        attempts_left_out: 40,
        payloads_truncated: 5,
        payloads_failed: 6,
        set_aside: 1,
        spool_bytes: 5000,
        oldest_unshipped_at: ns(newest - 700_000),
        ...verified,
      }),
      report('audit-api', 'api', 20, { head_seq: 2, head_hash: 'b' }),
      report('audit-api', 'api', 1, { head_seq: 2, head_hash: 'b', recorded: 2, shipped: 2 }),
    ],
  });
}

async function insertAccess(store: TestStore, nowMs: number): Promise<void> {
  const entry = (n: number, more: Record<string, unknown>) => ({
    access_id: `access-${n}`,
    started_at: iso(nowMs - 5 * MINUTE_MS + n),
    actor_kind: 'grafana',
    actor_key: 'key-of-a-person',
    client_address: '203.0.113.7',
    decision: 'allowed',
    ...more,
  });
  const refusals = Array.from({ length: 20 }, (_, n) =>
    entry(n, { action: 'payload.read', decision: 'refused', reason: 'not_auditor' })
  );
  await store.client('gatelens_admin').insert({
    table: 'mcp.access_log',
    format: 'JSONEachRow',
    values: [
      ...refusals,
      entry(100, { action: 'auditor.first_seen' }),
      entry(101, { action: 'roles.change', decision: 'refused', reason: 'self_elevation' }),
    ],
  });
}
