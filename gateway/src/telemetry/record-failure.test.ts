import { describe, expect, it } from 'vitest';
import { createRig, record, success, toolCall } from '../../test/telemetry/fake-seams.ts';
import { decodeSpans } from '../../test/telemetry/otlp-decoder.ts';
import { createAccessRecorder } from './access-recorder.ts';
import { recordInterrupted } from './recovery.ts';

describe('when records cannot be kept', () => {
  it('refuse: intent and end reject with audit_unavailable, and nobody is surprised by it', async () => {
    const rig = createRig();
    rig.spool.fail('spool_full');
    const call = rig.observer.begin(toolCall());
    await expect(call.intent()).rejects.toMatchObject({ code: 'audit_unavailable', cause: { code: 'spool_full' } });
    await expect(call.end(success)).rejects.toMatchObject({ code: 'audit_unavailable' });
    // neither promise of this one is looked at: an unhandled rejection would end the run
    void rig.observer.begin(toolCall()).end(success);
    rig.sealer.slow = true;
    void rig.observer.begin(toolCall()).end(success);
    await new Promise((resolve) => setImmediate(resolve));
    expect(rig.observer.counts).toEqual({ seen: 3, recorded: 0, lost: 0, refused: 3 });
  });

  it('pass: both resolve, the record counts as lost, and the log says so once a minute', async () => {
    const rig = createRig({ audit: { durability: 'before-reply', onFailure: 'pass' } });
    rig.spool.fail();
    await record(rig);
    await record(rig);
    expect(rig.observer.counts).toEqual({ seen: 2, recorded: 0, lost: 2, refused: 0 });
    expect(rig.logger.lines.map((line) => [line.event, line.fields?.code])).toEqual([
      ['audit.records_lost', 'audit_unavailable'],
    ]);
    rig.clock.pass(60_000);
    await record(rig);
    expect(rig.logger.lines).toHaveLength(2);
    rig.spool.failure = undefined;
    await record(rig);
    expect(rig.observer.counts).toEqual({ seen: 4, recorded: 1, lost: 3, refused: 0 });
  });
});

describe('durability', () => {
  it('before-reply: waits for the disk, for the intent and for the completion', async () => {
    const rig = createRig();
    const release = rig.spool.hold();
    const settled: string[] = [];
    const call = rig.observer.begin(toolCall());
    void call.intent().then(() => settled.push('intent'));
    void call.end(success).then(() => settled.push('end'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toEqual([]);
    expect(rig.observer.counts.recorded).toBe(0);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toEqual(['intent', 'end']);
    expect(rig.observer.counts.recorded).toBe(1);
  });

  it('async: waits for nothing', async () => {
    const rig = createRig({ audit: { durability: 'async', onFailure: 'refuse' } });
    const release = rig.spool.hold();
    const call = rig.observer.begin(toolCall());
    await call.intent();
    await call.end(success);
    release();
  });

  it('async: waits once more is on its way to the disk than memory should hold, until the disk has caught up', async () => {
    const rig = createRig({ audit: { durability: 'async', onFailure: 'refuse' } });
    const release = rig.spool.hold();
    let waiting: Promise<void> | undefined;
    let answered = 0;
    const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    // one a turn, as a stream brings notifications
    while (waiting === undefined) {
      const ended = rig.observer.begin(toolCall()).end(success);
      const isDone = await Promise.race([ended.then(() => true), nextTurn().then(() => false)]);
      if (isDone) answered += 1;
      else waiting = ended;
      if (answered > 100_000) throw new Error('nothing bounds it');
    }
    expect(answered).toBeGreaterThan(100);
    release();
    await waiting;
    await rig.observer.begin(toolCall()).end(success);
    expect(rig.observer.counts).toMatchObject({ seen: answered + 2, lost: 0, refused: 0 });
  });

  it('async and refuse: what failed behind a reply is lost, and the next call is refused until the disk is back', async () => {
    const rig = createRig({ audit: { durability: 'async', onFailure: 'refuse' } });
    rig.spool.fail();
    await rig.observer.begin(toolCall()).end(success);
    await new Promise((resolve) => setImmediate(resolve));
    expect(rig.observer.counts.lost).toBe(1);
    await expect(rig.observer.begin(toolCall()).intent()).rejects.toMatchObject({ code: 'audit_unavailable' });
    rig.spool.failure = undefined;
    await rig.observer.begin(toolCall()).intent();
  });
});

describe('after a crash', () => {
  const traceparent = `00-${'a'.repeat(32)}-${'1'.repeat(16)}-00`;

  it('an intent becomes an interrupted record of the same call, start, trace and payload', async () => {
    const before = createRig();
    const call = before.observer.begin(toolCall({ metaTrace: { traceparent }, method: 'tools/call' }));
    await call.intent();
    call.upstreamStarted();
    const sealed = before.spool.logs()[0]?.attributes['gatelens.payload.sha256'];

    const after = createRig();
    expect(await recordInterrupted(after.telemetry, before.spool.intents(), after.logger)).toBe(1);
    const [span] = after.spool.spans();
    expect(span).toMatchObject({
      kind: 2,
      name: 'tools/call (unlisted)',
      traceId: 'a'.repeat(32),
      parentSpanId: '1'.repeat(16),
      sampled: false,
      statusCode: 2,
      statusMessage: '',
    });
    expect(span?.startNs).toBe(span?.endNs);
    expect(span?.attributes).toMatchObject({
      'gatelens.call.id': call.callId,
      'gatelens.outcome': 'interrupted',
      'gatelens.phase': 'closed',
      'gatelens.kind': 'request',
      'gatelens.payload.state': 'sealed',
      'gatelens.payload.request.sha256': sealed,
      'gatelens.chain.seq': 1,
    });
    expect(after.spool.records()[0]).toMatchObject({ settles: call.callId });
    expect(after.spool.records()[0]?.link?.seq).toBe(1n);
  });

  it('keeps the ids of a call without a caller trace, and leaves no id behind for the next span', async () => {
    const before = createRig();
    const call = before.observer.begin(toolCall());
    const traceId = call.upstreamTrace.traceparent?.slice(3, 35);
    const after = createRig();
    await recordInterrupted(after.telemetry, before.spool.intents(), after.logger);
    await record(after);
    const [interrupted, , next] = after.spool.spans();
    expect(interrupted?.traceId).toBe(traceId);
    expect(next?.traceId).not.toBe(traceId);
  });

  it('a call whose intent cannot be read is recorded all the same, with the time in its id', async () => {
    const rig = createRig();
    const callId = '01a20d6d-5a00-7044-b7cf-192e4279ee22';
    const unreadable = [Buffer.from('{"v":2}'), Buffer.from('\xff'), Buffer.from('{"v":1,"attributes":null}')];
    await recordInterrupted(
      rig.telemetry,
      unreadable.map((bytes) => ({ callId, bytes })),
      rig.logger
    );
    const spans = rig.spool.spans();
    expect(spans.map((span) => span.attributes['gatelens.outcome'])).toEqual(Array(3).fill('interrupted'));
    expect(spans[0]?.startNs).toBe(BigInt(Date.UTC(2026, 10, 24, 12)) * 1_000_000n);
    expect(rig.logger.lines[0]?.fields).toEqual({ records: 3, unreadable: 3 });
  });

  it('many intents are chained in order, in appends of a bounded size', async () => {
    const before = createRig();
    for (let i = 0; i < 250; i += 1) before.observer.begin(toolCall());
    const after = createRig();
    await recordInterrupted(after.telemetry, before.spool.intents(), after.logger);
    expect(after.spool.appends.map((frames) => frames.length)).toEqual([100, 100, 50]);
    expect(after.spool.records().map((frame) => frame.link?.seq)).toEqual(
      Array.from({ length: 250 }, (_, i) => BigInt(i + 1))
    );
  });

  it('fails the start when they cannot be made durable', async () => {
    const before = createRig();
    before.observer.begin(toolCall());
    const after = createRig();
    after.spool.fail();
    await expect(recordInterrupted(after.telemetry, before.spool.intents(), after.logger)).rejects.toMatchObject({
      code: 'audit_unavailable',
    });
  });
});

describe('access records', () => {
  const read = {
    action: 'payload.read',
    decision: 'allowed',
    actorKey: 'e'.repeat(32),
    actorKind: 'token',
    actorName: 'siem',
    roles: ['auditor'],
    clientAddress: '10.0.0.1',
    targetCallId: '01a20d6d-5a00-7044-b7cf-192e4279ee22',
    rows: 1,
    bytes: 2048,
    detail: { server: 'hr' },
  } as const;

  it('are chained like calls, by the columns of the access log', async () => {
    const rig = createRig();
    const recorder = createAccessRecorder({ telemetry: rig.telemetry, logger: rig.logger, clock: rig.clock });
    await recorder.record({ ...read, startedMs: rig.clock.monotonicMs() - 3 });
    await recorder.record({ ...read, decision: 'refused', reason: 'not_auditor' });
    const frames = rig.spool.records();
    expect(frames.map((frame) => [frame.link?.seq, frame.settles])).toEqual([
      [1n, undefined],
      [2n, undefined],
    ]);
    const [allowed, refused] = frames.flatMap((frame) => decodeSpans(frame.bytes));
    expect(allowed?.attributes).toMatchObject({
      'gatelens.kind': 'access',
      'gatelens.access.action': 'payload.read',
      'gatelens.access.decision': 'allowed',
      'gatelens.access.actor_kind': 'token',
      'gatelens.access.actor_name': 'siem',
      'gatelens.access.roles': ['auditor'],
      'gatelens.access.call_id': read.targetCallId,
      'gatelens.access.rows': 1,
      'gatelens.access.bytes': 2048,
      'gatelens.access.detail': '{"server":"hr"}',
      'user.hash': read.actorKey,
      'client.address': '10.0.0.1',
    });
    expect((allowed?.endNs ?? 0n) - (allowed?.startNs ?? 0n)).toBe(3_000_000n);
    expect(refused?.attributes['gatelens.access.reason']).toBe('not_auditor');
    expect(rig.spool.chain.forms[0]).toContain('12:payload.read7:allowed');
  });

  it('reject when they are not on disk, whatever the policy for calls is', async () => {
    const rig = createRig({ audit: { durability: 'async', onFailure: 'pass' } });
    const recorder = createAccessRecorder({ telemetry: rig.telemetry, logger: rig.logger });
    rig.spool.fail();
    await expect(recorder.record(read)).rejects.toMatchObject({ code: 'audit_unavailable' });
    expect(recorder.counts).toEqual({ seen: 1, recorded: 0, lost: 0, refused: 1 });
  });

  it('replace details that are too long by their size', async () => {
    const rig = createRig();
    const recorder = createAccessRecorder({ telemetry: rig.telemetry, logger: rig.logger });
    await recorder.record({ ...read, detail: { filter: 'x'.repeat(10_000) } });
    const detail = String(rig.spool.spans()[0]?.attributes['gatelens.access.detail']);
    expect(JSON.parse(detail)).toEqual({ omitted: 'too long', characters: 10_013 });
  });
});
