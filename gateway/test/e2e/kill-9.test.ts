/**
 * kill -9 under load, again and again on the same data: whatever a client was answered is in the audit log once, nothing
 * is there twice, and the chain of hashes is whole. The moments are random; the seed is printed and can be given again
 * as GATELENS_TEST_SEED.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../src/audit-api/contract.ts';
import { AuditLog } from './audit-log.ts';
import { GatelensProcess } from './gatelens-process.ts';
import { Load } from './load.ts';
import { bearer } from './mcp-clients.ts';
import { People } from './people.ts';
import { pause, until } from './until.ts';
import { startWebServer, type WebServer } from './upstream-process.ts';

const CONNECTIONS = 16;
const KILLS = 3;
const seed = Number(process.env.GATELENS_TEST_SEED ?? Date.now() % 1_000_000);

/** mulberry32 */
let state = seed;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

const people = new People();
let web: WebServer;
let gatelens: GatelensProcess;
let load: Load;
let calls: Call[] = [];

interface Verified {
  readonly ok: boolean;
  readonly chains: {
    readonly chainId: string;
    readonly links: number;
    readonly verified: number;
    readonly checkpoints: { valid: number };
  }[];
  readonly findings: { readonly kind: string; readonly seq: string; readonly callId?: string }[];
}

/** `gatelens verify` beside the running one. */
async function verify(): Promise<{ code: number | null; result: Verified }> {
  const { code, out, err } = await gatelens.run('verify', '--json');
  if (!out.startsWith('{')) throw new Error(err);
  return { code, result: JSON.parse(out) as Verified };
}

beforeAll(async () => {
  web = await startWebServer('kill');
  const key = people.addKey('loader', { user: 'ana@example.com' });
  people.addToken('admin', 'admin');
  people.addToken('auditor', 'auditor');
  gatelens = new GatelensProcess({
    config: {
      mcpServers: { fast: { url: `${web.url}/fast` } },
      auth: { apiKeys: people.apiKeys },
      auditApi: { tokens: people.tokens },
    },
  });
  await gatelens.start();
  load = new Load({
    url: () => gatelens.mcp('fast'),
    headers: bearer(key),
    connections: CONNECTIONS,
    arguments: { text: 'x'.repeat(500) },
  });
}, 90_000);
afterAll(async () => {
  await load.stop();
  await gatelens.dispose();
  await web.stop();
});

describe(`kill -9 under the load of ${CONNECTIONS} clients (seed ${seed})`, () => {
  it('loses no call that was answered, and has none twice', async () => {
    for (let round = 0; round < KILLS; round++) {
      const before = load.acknowledged.size;
      load.start();
      await until(() => load.acknowledged.size > before + 50, 'calls are answered');
      await pause(random() * 1200);
      expect(await gatelens.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      await load.stop();
      await until(() => gatelens.survivors().length === 0, 'what it started ends, too');
      await gatelens.start();
    }
    // once more, but it is the store that dies, and the gateway goes on
    load.start();
    const before = load.acknowledged.size;
    await pause(random() * 500);
    process.kill(gatelens.storePid, 'SIGKILL');
    await until(() => gatelens.log('store_ready').length === 2, 'the store is started again');
    await until(() => load.acknowledged.size > before + 50, 'calls are answered');
    await load.stop();
    await gatelens.settled(0, 60_000);
    // and a polite end, which leaves a checkpoint
    expect(await gatelens.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(gatelens.survivors()).toEqual([]);
    await gatelens.start();
    await gatelens.settled();

    calls = await new AuditLog(gatelens.urls.auditApi, people.of('admin')).calls({ server: 'fast' });
    const rowsOf = new Map<number, Call[]>();
    for (const call of calls) rowsOf.set(Number(call.rpcId), [...(rowsOf.get(Number(call.rpcId)) ?? []), call]);
    const lost = [...load.acknowledged].filter((id) => rowsOf.get(id)?.[0]?.outcome !== 'success');
    const twice = [...rowsOf].filter(([, rows]) => rows.length > 1).map(([id]) => id);
    const unknown = [...rowsOf.keys()].filter((id) => !load.begun.has(id));
    const interrupted = calls.filter((call) => call.outcome === 'interrupted');
    console.log(
      `kill -9 × ${KILLS} and of the store × 1, seed ${seed}: acknowledged ${load.acknowledged.size}, ` +
        `recorded ${calls.length} (${interrupted.length} interrupted), lost ${lost.length}, twice ${twice.length}; ` +
        `begun ${load.begun.size}, broken off ${load.broken}, refused ${load.refused.size}`
    );
    expect({ lost, twice, unknown }).toEqual({ lost: [], twice: [], unknown: [] });
    expect(load.acknowledged.size).toBeGreaterThan(KILLS * 50);
    // only while nobody listened were calls not answered with a result
    expect([...load.refused]).toEqual([]);
    for (const call of calls) expect(['success', 'interrupted']).toContain(call.outcome);
    // as many calls can be cut off as were under way
    expect(interrupted.length).toBeLessThanOrEqual(KILLS * CONNECTIONS);
    expect(interrupted.every((call) => !load.acknowledged.has(Number(call.rpcId)))).toBe(true);
  }, 150_000);

  it('counts in Usage what is in the log', async () => {
    const usage = await new AuditLog(gatelens.urls.auditApi, people.of('admin')).usage();
    const interrupted = calls.filter((call) => call.outcome === 'interrupted').length;
    expect(usage.totals).toMatchObject({ calls: calls.length, errors: interrupted, users: 1 });
  });

  it('leaves payloads that open, those of interrupted calls too', async () => {
    const log = new AuditLog(gatelens.urls.auditApi, people.of('auditor'));
    const cut = calls.filter((call) => call.outcome === 'interrupted').slice(0, 3);
    for (const call of [...cut, ...calls.slice(0, 2), ...calls.slice(-2)]) {
      const { request, response } = await log.payload(call.id);
      expect([call.outcome, request.state]).toEqual([call.outcome, 'opened']);
      expect(request.bodyText).toContain(`"id":${call.rpcId},`);
      expect(response.state).toBe(call.outcome === 'success' ? 'opened' : 'none');
    }
  });
});

describe('gatelens verify', () => {
  it('finds every record as it was made, in both chains', async () => {
    const { code, result } = await verify();
    expect(result.findings).toEqual([]);
    expect([code, result.ok]).toEqual([0, true]);
    const gateway = result.chains.find(({ chainId }) => chainId === calls[0]?.gatewayId);
    expect(gateway?.links).toBe(calls.length);
    // rows that were delivered twice are recomputed twice
    expect(gateway?.verified).toBeGreaterThanOrEqual(calls.length);
    expect(gateway?.checkpoints.valid).toBeGreaterThan(0);
    // the readings of the test before
    expect(result.chains.find(({ chainId }) => chainId.startsWith('api-'))?.verified).toBeGreaterThan(0);
  });

  it('names a record that somebody changed and one that somebody removed', async () => {
    const record = (seq: number): Call | undefined => calls.find((call) => call.seq === String(seq));
    const at = (seq: number): string => `chain_id = '${record(seq)?.gatewayId}' AND seq = ${seq}`;
    await gatelens.sql(`ALTER TABLE mcp.calls UPDATE tool = 'other' WHERE ${at(10)} SETTINGS mutations_sync = 1`);
    await gatelens.sql(`ALTER TABLE mcp.calls DELETE WHERE ${at(20)} SETTINGS mutations_sync = 1`);
    const { code, result } = await verify();
    expect([code, result.ok]).toEqual([1, false]);
    expect(result.findings).toMatchObject([
      { kind: 'changed', seq: '10', callId: record(10)?.id },
      { kind: 'missing', seq: '20', callId: record(20)?.id },
    ]);
  });
});
