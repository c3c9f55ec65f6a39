/** Whatever is done to the log in its store is named, on the real engine; what was not touched passes. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createStoreReader } from '../../src/store/queries/clickhouse-reader.ts';
import { readDeliveredLink } from '../../src/spool/delivered-link.ts';
import type { ToolChange } from '../../src/record/tool-changes.ts';
import type { Finding } from '../../src/verify/finding.ts';
import type { Verification, VerifyOptions } from '../../src/verify/verification.ts';
import { verifyChains } from '../../src/verify/verify-chains.ts';
import { startTestStore, type TestStore } from '../store/test-store.ts';
import { newSigningPair, RecordedChain } from './recorded-chain.ts';

const DAY_MS = 86_400_000;
const signer = newSigningPair('sig-1');
let store: TestStore;
const folders: string[] = [];

beforeAll(async () => {
  store = await startTestStore({ migrated: true });
});
afterAll(async () => {
  await store.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  const tables = ['calls', 'access_log', 'tool_changes', 'chain', 'checkpoints'];
  await Promise.all(tables.map((table) => sql(`ALTER TABLE mcp.${table} DELETE WHERE true`)));
});

function verify(more: Partial<VerifyOptions> = {}): Promise<Verification> {
  return verifyChains({
    store: createStoreReader(store.client('gatelens_api')),
    publicKeys: new Map([[signer.id, signer.publicKey]]),
    retentionMs: { metadata: 400 * DAY_MS, accessLog: 2555 * DAY_MS },
    nowMs: Date.now(),
    pause: () => Promise.resolve(),
    ...more,
  });
}

async function open(wallMs?: number): Promise<RecordedChain> {
  const chain = await RecordedChain.open(signer, wallMs);
  folders.push(chain.dir);
  return chain;
}

/** A delivered chain of 20 calls, an opened and closed stream among them, signed: positions 1 to 20. */
async function smallChain(): Promise<{ chain: RecordedChain; ids: string[] }> {
  const chain = await open();
  const ids = await chain.calls(9);
  const stream = await chain.stream();
  ids.push(stream.callId);
  ids.push(...(await chain.calls(9)));
  await stream.end();
  ids.push(stream.callId);
  await chain.sign();
  await chain.deliver(store);
  return { chain, ids };
}

async function sql(statement: string): Promise<void> {
  await store.client('gatelens_admin').command({ query: statement, clickhouse_settings: { mutations_sync: '2' } });
}

const CALL_COLUMNS = 'SELECT * FROM mcp.calls FINAL';
/** Rows with other values in some columns, in place of what was there. */
async function rewrite(table: string, where: string, replace: string): Promise<void> {
  await sql(`INSERT INTO ${table} SELECT * REPLACE(${replace}) FROM (SELECT * FROM ${table} WHERE ${where})`);
}

async function findingsOf(chain: RecordedChain, more: Partial<VerifyOptions> = {}): Promise<Finding[]> {
  const result = await verify(more);
  return result.findings.filter(({ chainId }) => chainId === chain.id);
}

function toolChange(name: string): ToolChange {
  return {
    server: 'web',
    change: 'changed',
    fingerprint: 'f2',
    previousFingerprint: 'f1',
    tools: 3,
    added: [name, '"quoted", <&>'],
    removed: [],
    changed: new Map([['x', ['description']]]),
    client: { name: 'c', version: '1' },
    protocolVersion: '2025-11-25',
    seenInCalls: ['id'],
    previousCalls: [],
  };
}

describe('a log that nobody touched', () => {
  it('passes: thousands of calls, streams open and closed, access records, in pages, with duplicates', async () => {
    const chain = await open();
    const streams = [];
    for (let round = 0; round < 10; round += 1) {
      streams.push(await chain.stream());
      await chain.calls(300, { target: { type: 'tool', name: `ümlaut "${round}" \\ <&>` } });
      if (round % 2 === 1) await streams[round - 1]?.end();
      await chain.access.record({
        action: 'payload.read',
        decision: 'allowed',
        actorKey: 'k',
        actorKind: 'token',
        roles: ['viewer', 'auditor'],
        detail: { q: 'é"<' },
      });
      await chain.toolChanges.record(toolChange('été'));
      await chain.sign();
    }
    await chain.deliver(store);
    // delivered twice, as after a lost answer
    await sql(`INSERT INTO mcp.calls ${CALL_COLUMNS} WHERE chain_id = '${chain.id}' LIMIT 500`);
    const delivered = await readDeliveredLink(chain.dir);
    expect(delivered).toMatchObject({ chainId: chain.id, seq: 3035n });

    for (const merged of [false, true]) {
      if (merged) await sql('OPTIMIZE TABLE mcp.calls FINAL');
      const result = await verify({ pageRecords: 700, delivered: delivered === undefined ? [] : [delivered] });
      expect(result.findings).toEqual([]);
      expect(result.ok).toBe(true);
      const report = result.chains.find(({ chainId }) => chainId === chain.id);
      expect(report).toMatchObject({ firstSeq: 1n, lastSeq: 3035n, links: 3035, expired: 0, pending: 0 });
      expect(report?.checkpoints).toMatchObject({ valid: 10, signedSeq: 3035n, unsignedRecords: 0 });
      // before a merge the rows of open streams are still there to be verified
      expect((report?.verified ?? 0) + (report?.replaced ?? 0)).toBe(3035);
      if (merged) expect(report).toMatchObject({ verified: 3030, replaced: 5 });
    }
  });

  it('passes after retention removed the oldest records, as long as they are the oldest', async () => {
    const chain = await open(Date.now() - 410 * DAY_MS);
    await chain.calls(30);
    chain.clock.pass(410 * DAY_MS);
    await chain.calls(30);
    await chain.sign();
    await chain.deliver(store);
    await sql('OPTIMIZE TABLE mcp.calls FINAL');
    const result = await verify();
    expect(result.findings).toEqual([]);
    expect(result.chains.find(({ chainId }) => chainId === chain.id)).toMatchObject({ expired: 30, verified: 30 });
  });

  it('passes while records are on their way, and says how many are', async () => {
    const { chain } = await smallChain();
    await sql(`ALTER TABLE mcp.calls DELETE WHERE chain_id = '${chain.id}' AND seq = 20`);
    const result = await verify({ settleMs: 60_000 });
    expect(result.findings).toEqual([]);
    // the stream's opening lost its reason to be away, too
    expect(result.chains.find(({ chainId }) => chainId === chain.id)?.pending).toBeGreaterThan(0);
  });
});

describe('tampering', () => {
  it.each<[string, string, string]>([
    ['the outcome', "'rpc_error' AS outcome", "outcome = 'rpc_error'"],
    ['the person', "'somebody-else' AS user_key", "user_key = 'somebody-else'"],
    ['the time', 'started_at - INTERVAL 3 HOUR AS started_at', 'started_at < now() - INTERVAL 2 HOUR'],
    ['a list', "['x'] AS teams", "teams = ['x']"],
    ['its own hash', "repeat('a', 64) AS record_hash", "record_hash = repeat('a', 64)"],
  ])('names a record in which %s was changed', async (_, replace, isNew) => {
    const { chain, ids } = await smallChain();
    const here = `chain_id = '${chain.id}' AND seq = 5`;
    const changed = [{ kind: 'changed', chainId: chain.id, seq: 5n, callId: ids[4] }];
    await rewrite('mcp.calls', here, replace);
    // beside the true row, and in place of it
    expect(await findingsOf(chain)).toEqual(changed);
    await sql(`ALTER TABLE mcp.calls DELETE WHERE ${here} AND NOT (${isNew})`);
    expect(await findingsOf(chain)).toEqual(changed);
  });

  it('names a record that was deleted, and its place when its link was deleted, too', async () => {
    const { chain, ids } = await smallChain();
    await sql(`ALTER TABLE mcp.calls DELETE WHERE chain_id = '${chain.id}' AND seq IN (7, 8, 13)`);
    expect(await findingsOf(chain)).toEqual([
      { kind: 'missing', chainId: chain.id, seq: 7n, callId: ids[6] },
      { kind: 'missing', chainId: chain.id, seq: 8n, callId: ids[7] },
      { kind: 'missing', chainId: chain.id, seq: 13n, callId: ids[12] },
    ]);
    await sql(`ALTER TABLE mcp.chain DELETE WHERE chain_id = '${chain.id}' AND seq IN (7, 8)`);
    expect(await findingsOf(chain)).toEqual([
      { kind: 'missing', chainId: chain.id, seq: 7n, toSeq: 8n },
      { kind: 'unlinked', chainId: chain.id, seq: 9n, callId: ids[8] },
      { kind: 'missing', chainId: chain.id, seq: 13n, callId: ids[12] },
    ]);
  });

  it('names an access record that was changed or deleted: who looked is part of the proof', async () => {
    const chain = await open();
    for (let n = 0; n < 3; n += 1) {
      await chain.access.record({ action: 'payload.read', decision: 'allowed', actorKey: `k${n}`, actorKind: 'token' });
    }
    await chain.sign();
    await chain.deliver(store);
    await sql(`ALTER TABLE mcp.access_log UPDATE actor_key = 'nobody' WHERE chain_id = '${chain.id}' AND seq = 1`);
    await sql(`ALTER TABLE mcp.access_log DELETE WHERE chain_id = '${chain.id}' AND seq = 2`);
    expect(await findingsOf(chain)).toMatchObject([
      { kind: 'changed', seq: 1n },
      { kind: 'missing', seq: 2n },
    ]);
  });

  it('names a change of tools that was rewritten or deleted', async () => {
    const chain = await open();
    for (const name of ['a', 'b', 'c']) await chain.toolChanges.record(toolChange(name));
    await chain.sign();
    await chain.deliver(store);
    await sql(`ALTER TABLE mcp.tool_changes UPDATE added = [] WHERE chain_id = '${chain.id}' AND seq = 1`);
    await sql(`ALTER TABLE mcp.tool_changes DELETE WHERE chain_id = '${chain.id}' AND seq = 2`);
    expect(await findingsOf(chain)).toMatchObject([
      { kind: 'changed', seq: 1n },
      { kind: 'missing', seq: 2n },
    ]);
  });

  it('names the end of a stream that was deleted, and its opening with it', async () => {
    const { chain, ids } = await smallChain();
    await sql(`ALTER TABLE mcp.calls DELETE WHERE chain_id = '${chain.id}' AND call_id = '${ids[9]}'`);
    expect(await findingsOf(chain)).toEqual([
      { kind: 'missing', chainId: chain.id, seq: 10n, callId: ids[9] },
      { kind: 'missing', chainId: chain.id, seq: 20n, callId: ids[19] },
    ]);
  });

  it('names both of two records that were swapped', async () => {
    const { chain, ids } = await smallChain();
    const here = `chain_id = '${chain.id}'`;
    const hashOf = async (seq: number): Promise<string> =>
      (await store.rows<{ h: string }>(`SELECT record_hash AS h FROM mcp.calls WHERE ${here} AND seq = ${seq}`))[0]
        ?.h ?? '';
    const [three, six] = [await hashOf(3), await hashOf(6)];
    await rewrite('mcp.calls', `${here} AND seq = 3`, `toUInt64(6) AS seq, '${six}' AS record_hash`);
    await rewrite('mcp.calls', `${here} AND call_id = '${ids[5]}'`, `toUInt64(3) AS seq, '${three}' AS record_hash`);
    await sql(
      `ALTER TABLE mcp.calls DELETE WHERE ${here} AND ((call_id = '${ids[2]}' AND seq = 3) OR (call_id = '${ids[5]}' AND seq = 6))`
    );
    expect(await findingsOf(chain)).toEqual([
      { kind: 'reordered', chainId: chain.id, seq: 3n, callId: ids[5], recordedAt: 6n },
      { kind: 'reordered', chainId: chain.id, seq: 6n, callId: ids[2], recordedAt: 3n },
    ]);
  });

  it('names a record that was put in, with and without a link', async () => {
    const { chain } = await smallChain();
    const here = `chain_id = '${chain.id}'`;
    await rewrite('mcp.calls', `${here} AND seq = 4`, "toUInt64(500) AS seq, 'made-up' AS call_id");
    expect(await findingsOf(chain)).toEqual([{ kind: 'added', chainId: chain.id, seq: 500n, callId: 'made-up' }]);
    await rewrite('mcp.chain', `${here} AND seq = 4`, "toUInt64(500) AS seq, 'made-up' AS call_id");
    const findings = await findingsOf(chain);
    expect(findings).toContainEqual({ kind: 'missing', chainId: chain.id, seq: 21n, toSeq: 499n });
    expect(findings).toContainEqual({ kind: 'unlinked', chainId: chain.id, seq: 500n, callId: 'made-up' });
  });

  it('names a record exchanged for another call of the same time', async () => {
    const { chain, ids } = await smallChain();
    const here = `chain_id = '${chain.id}' AND seq = 4`;
    await rewrite('mcp.calls', here, "'made-up' AS call_id");
    await sql(`ALTER TABLE mcp.calls DELETE WHERE ${here} AND call_id != 'made-up'`);
    expect(await findingsOf(chain)).toEqual([{ kind: 'changed', chainId: chain.id, seq: 4n, callId: ids[3] }]);
  });

  it('names the position where a restored copy of the gateway went on beside it', async () => {
    const first = await open();
    await first.calls(5);
    await first.sign();
    await first.deliver(store);
    const copy = mkdtempSync(join(tmpdir(), 'gatelens-verify-'));
    folders.push(copy);
    cpSync(first.dir, copy, { recursive: true });
    const ids: string[] = [];
    for (const dir of [first.dir, copy]) {
      const going = await RecordedChain.open(signer, Date.now() + ids.length, dir);
      ids.push(...(await going.calls(1)));
      await going.deliver(store);
    }
    expect(await findingsOf(first)).toEqual([{ kind: 'forked', chainId: first.id, seq: 6n, callIds: ids.sort() }]);
  });

  it('names a forged checkpoint, one of an unknown key, and a chain rewritten under its checkpoint', async () => {
    const { chain } = await smallChain();
    const here = `chain_id = '${chain.id}'`;
    const forged = 'A'.repeat(86) + '==';
    await rewrite('mcp.checkpoints', here, `toUInt64(11) AS seq, '${forged}' AS signature`);
    await rewrite('mcp.checkpoints', `${here} AND seq = 20`, "toUInt64(12) AS seq, 'sig-other' AS signing_key_id");
    expect(await findingsOf(chain)).toEqual([
      { kind: 'checkpoint_forged', chainId: chain.id, seq: 11n },
      { kind: 'checkpoint_key_unknown', chainId: chain.id, seq: 12n },
    ]);
    await sql(`ALTER TABLE mcp.checkpoints DELETE WHERE ${here} AND seq IN (11, 12)`);
    // the last record and its link, exchanged for ones that fit the chain: only the signature knows
    await rewrite('mcp.chain', `${here} AND seq = 20`, "repeat('b', 64) AS record_hash");
    await sql(`ALTER TABLE mcp.chain DELETE WHERE ${here} AND seq = 20 AND record_hash != repeat('b', 64)`);
    expect((await findingsOf(chain)).map(({ kind }) => kind)).toContain('checkpoint_contradicted');
  });

  it('knows from the spool, and from checkpoints, that the end of a chain was cut off', async () => {
    const { chain } = await smallChain();
    const delivered = await readDeliveredLink(chain.dir);
    if (delivered === undefined) throw new Error('nothing was delivered');
    for (const table of ['mcp.calls', 'mcp.chain']) {
      await sql(`ALTER TABLE ${table} DELETE WHERE chain_id = '${chain.id}' AND seq > 18`);
    }
    const cut = [{ kind: 'missing', chainId: chain.id, seq: 19n, toSeq: 20n }];
    expect((await findingsOf(chain)).filter(({ seq }) => seq > 18n)).toEqual(cut);
    await sql(`ALTER TABLE mcp.checkpoints DELETE WHERE chain_id = '${chain.id}'`);
    expect((await findingsOf(chain, { delivered: [delivered] })).filter(({ seq }) => seq > 18n)).toEqual(cut);
    for (const table of ['mcp.calls', 'mcp.chain']) {
      await sql(`ALTER TABLE ${table} DELETE WHERE chain_id = '${chain.id}'`);
    }
    expect(await findingsOf(chain, { delivered: [delivered] })).toEqual([
      { kind: 'missing', chainId: chain.id, seq: 1n, toSeq: 20n },
    ]);
  });

  it('names records that no checkpoint covers, once there are more than a gateway leaves unsigned', async () => {
    const chain = await open();
    await chain.calls(5);
    await chain.sign();
    await chain.calls(5);
    chain.clock.pass(180_000);
    await chain.calls(5);
    await chain.deliver(store);
    expect(await findingsOf(chain)).toEqual([{ kind: 'unsigned', chainId: chain.id, seq: 6n, toSeq: 15n }]);
  });

  it('does not take a deleted record for an expired one because its link was dated back', async () => {
    const { chain, ids } = await smallChain();
    const here = `chain_id = '${chain.id}' AND seq = 5`;
    await rewrite('mcp.chain', here, 'started_at - INTERVAL 500 DAY AS started_at');
    await sql(`ALTER TABLE mcp.chain DELETE WHERE ${here} AND started_at > now() - INTERVAL 400 DAY`);
    await sql(`ALTER TABLE mcp.calls DELETE WHERE ${here}`);
    expect(await findingsOf(chain)).toEqual([{ kind: 'missing', chainId: chain.id, seq: 5n, callId: ids[4] }]);
  });
});
