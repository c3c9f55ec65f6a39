import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRig, record } from '../../test/telemetry/fake-seams.ts';
import { checkpointMessage, createCheckpointSigner, startHealthReporter } from './health-reporter.ts';

const keys = generateKeyPairSync('ed25519');

function start(rig: ReturnType<typeof createRig>) {
  const ticks: (() => void)[] = [];
  const reporter = startHealthReporter({
    telemetry: rig.telemetry,
    component: 'gateway',
    counts: rig.observer.counts,
    signer: createCheckpointSigner('sig-1', keys.privateKey),
    logger: rig.logger,
    clock: rig.clock,
    leftOut: () => ({ attempts: 7, payloadsTruncated: 8, payloadsFailed: 9 }),
    lastVerifyNs: () => 1_795_521_600_000_000_001n,
    every: (intervalMs, tick) => {
      expect(intervalMs).toBe(15_000);
      ticks.push(tick);
      return () => ticks.splice(0);
    },
  });
  return { reporter, ticks };
}

describe('health reports', () => {
  it('tell what was seen, kept, shipped and lost, and sign the head of the chain', async () => {
    const rig = createRig();
    const { ticks } = start(rig);
    await record(rig);
    ticks[0]?.();
    const span = rig.spool.spans().at(-1);
    expect(span).toMatchObject({ name: 'health', kind: 1 });
    expect(span?.attributes).toEqual({
      'gatelens.record.version': 1,
      'gatelens.kind': 'health',
      'gatelens.health.component': 'gateway',
      'gatelens.chain.id': 'gw-test',
      'gatelens.chain.seq': 1,
      'gatelens.chain.hash': rig.spool.chain.head().hash,
      'gatelens.checkpoint.key_id': 'sig-1',
      'gatelens.checkpoint.signature': span?.attributes['gatelens.checkpoint.signature'],
      'gatelens.health.seen': 1,
      'gatelens.health.recorded': 1,
      'gatelens.health.shipped': 3,
      'gatelens.health.lost': 0,
      'gatelens.health.set_aside': 1,
      'gatelens.health.spool_bytes': 4096,
      'gatelens.health.oldest_unshipped': '1700000000000000001',
      'gatelens.health.last_verify': '1795521600000000001',
      'gatelens.health.refused': 0,
      'gatelens.health.attempts_left_out': 7,
      'gatelens.health.payloads_truncated': 8,
      'gatelens.health.payloads_failed': 9,
    });
    const signature = Buffer.from(String(span?.attributes['gatelens.checkpoint.signature']), 'base64');
    const message = Buffer.from(checkpointMessage('gw-test', rig.spool.chain.head()));
    expect(message.toString()).toBe(`gw-test|1|${rig.spool.chain.head().hash}`);
    expect(verify(null, message, keys.publicKey, signature)).toBe(true);
  });

  it('take no place in the chain and settle nothing', async () => {
    const rig = createRig();
    const { reporter } = start(rig);
    await reporter.report();
    expect(rig.spool.chain.head().seq).toBe(0n);
    expect(rig.spool.records()[0]).not.toHaveProperty('link');
    expect(rig.spool.records()[0]).not.toHaveProperty('settles');
  });

  it('are dropped, and said to be, while the disk takes nothing', async () => {
    const rig = createRig();
    const { reporter, ticks } = start(rig);
    rig.spool.fail();
    await reporter.report();
    expect(rig.logger.lines.map((line) => line.event)).toEqual(['health.report_dropped']);
    rig.spool.failure = undefined;
    await reporter.close();
    expect(ticks).toEqual([]);
    expect(rig.spool.spans()).toHaveLength(1);
  });
});
