import { describe, expect, it } from 'vitest';
import { caller, createRig, success, toolCall, type Rig } from '../../test/telemetry/fake-seams.ts';
import type { CallObserverOptions } from './call-observer.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function gatheringRig(more: Partial<CallObserverOptions> = {}): Rig {
  return createRig({ gathering: { intentMs: 5, completionMs: 10 }, ...more });
}

const shape = (rig: Rig): string[][] =>
  rig.spool.appends.map((frames) => frames.map((frame) => (frame.type === 'intent' ? 'intent' : frame.stream)));

describe('records that are gathered', () => {
  it('of a quick call are one append, without an intent, and settle none', async () => {
    const rig = gatheringRig();
    const call = rig.observer.begin(toolCall());
    const intent = call.intent();
    call.upstreamStarted();
    rig.clock.pass(3);
    const end = call.end(success);
    expect(rig.spool.appends).toEqual([]);
    await Promise.all([intent, end]);
    expect(shape(rig)).toEqual([['payload', 'metadata']]);
    expect(rig.spool.logs().map((log) => log.eventName)).toEqual([
      'gatelens.payload.request',
      'gatelens.payload.response',
    ]);
    expect(rig.spool.records()[0]).not.toHaveProperty('settles');
    expect(rig.observer.counts).toMatchObject({ seen: 1, recorded: 1 });
  });

  it('of a slow call are its intent, then its completion, as if nothing was gathered', async () => {
    const rig = gatheringRig();
    const call = rig.observer.begin(toolCall());
    await call.intent();
    expect(shape(rig)).toEqual([['payload', 'intent']]);
    call.upstreamStarted();
    rig.clock.pass(500);
    await call.end(success);
    expect(shape(rig)[1]).toEqual(['payload', 'metadata']);
    expect(rig.spool.records()[0]?.settles).toBe(call.callId);
  });

  it('are what they would be, had they been made at once', async () => {
    const made = [createRig(), gatheringRig()];
    for (const rig of made) {
      const call = rig.observer.begin(toolCall({ arrivedAt: rig.clock.monotonicMs() }));
      call.upstreamStarted();
      rig.clock.pass(3);
      const end = call.end(success);
      // the clock goes on before the record is made
      rig.clock.pass(rig === made[0] ? 0 : 7);
      await end;
    }
    const unlike = /chain\.hash|sha256|call\.id/;
    const [atOnce, gathered] = made.map((rig) =>
      rig.spool.spans().map(({ attributes, startNs, endNs, kind, name }) => ({
        ...{ startNs, endNs, kind, name },
        attributes: Object.fromEntries(Object.entries(attributes).filter(([key]) => !unlike.test(key))),
      }))
    );
    expect(gathered).toEqual(atOnce);
  });

  it('keep the ids that the upstream server was told', async () => {
    for (const sampled of ['00', '01', undefined]) {
      const rig = gatheringRig();
      const metaTrace = { traceparent: `00-${'a'.repeat(32)}-${'1'.repeat(16)}-${sampled}` };
      const call = rig.observer.begin(toolCall(sampled === undefined ? {} : { metaTrace }));
      const told = call.upstreamTrace.traceparent;
      call.upstreamStarted();
      await call.end(success);
      const [client, server] = rig.spool.spans();
      expect(told).toBe(`00-${client?.traceId}-${client?.spanId}-${client?.sampled === true ? '01' : '00'}`);
      expect(client?.parentSpanId).toBe(server?.spanId);
      expect(server?.sampled).toBe(sampled !== '00');
      expect(server?.parentSpanId).toBe(sampled === undefined ? '' : '1'.repeat(16));
    }
  });

  it('are chained in the order in which the calls ended', async () => {
    const rig = gatheringRig();
    const calls = Array.from({ length: 40 }, () => rig.observer.begin(toolCall()));
    await Promise.all(calls.map((call) => call.end(success)));
    expect(rig.spool.spans().map((span) => span.attributes['gatelens.call.id'])).toEqual(
      calls.map((call) => call.callId)
    );
    expect(rig.spool.spans().map((span) => span.attributes['gatelens.chain.seq'])).toEqual(calls.map((_, n) => n + 1));
  });

  it('of a call that ended before its intent was due hold up the first byte as long as the last', async () => {
    const rig = gatheringRig();
    const release = rig.spool.hold();
    const settled: string[] = [];
    const call = rig.observer.begin(toolCall());
    void call.intent().then(() => settled.push('intent'));
    void call.end(success).then(() => settled.push('end'));
    await turn();
    await turn();
    expect(rig.spool.appends).toHaveLength(1);
    expect(settled).toEqual([]);
    release();
    await turn();
    expect(settled.sort()).toEqual(['end', 'intent']);
  });

  it('refuse both when the disk takes neither', async () => {
    const rig = gatheringRig();
    rig.spool.fail('spool_full');
    const call = rig.observer.begin(toolCall());
    const intent = call.intent();
    const end = call.end(success);
    await expect(intent).rejects.toMatchObject({ code: 'audit_unavailable', cause: { code: 'spool_full' } });
    await expect(end).rejects.toMatchObject({ code: 'audit_unavailable' });
    expect(rig.observer.counts).toMatchObject({ lost: 0, refused: 1 });
    // nobody looks at this one: an unhandled rejection would end the run
    void rig.observer.begin(toolCall()).end(success);
    await turn();
    await turn();
    expect(rig.observer.counts.refused).toBe(2);
  });

  it('behind replies that have left count as lost when the disk does not take them', async () => {
    const rig = gatheringRig({ audit: { durability: 'async', onFailure: 'refuse' } });
    rig.spool.fail();
    await rig.observer.begin(toolCall()).end(success);
    void rig.observer.flush();
    await turn();
    expect(rig.observer.counts).toMatchObject({ lost: 1, refused: 0 });
    const next = rig.observer.begin(toolCall());
    await expect(next.end(success)).rejects.toMatchObject({ code: 'audit_unavailable' });
    rig.spool.failure = undefined;
    await rig.observer.begin(toolCall()).end(success);
    expect(rig.observer.counts).toMatchObject({ recorded: 1, lost: 1, refused: 1 });
  });

  it('that nobody waits for are written when the gateway closes', async () => {
    const rig = gatheringRig({ audit: { durability: 'async', onFailure: 'refuse' } });
    const running = rig.observer.begin(toolCall());
    const call = rig.observer.begin(toolCall());
    await call.end(success);
    expect(rig.spool.appends).toEqual([]);
    void rig.observer.flush();
    expect(rig.spool.records()).toHaveLength(1);
    expect(rig.spool.intents().map((intent) => intent.callId)).toEqual([running.callId]);
  });

  it('carry the principal once, with whichever is made first', async () => {
    const rig = gatheringRig();
    rig.observer.rememberPrincipal({ userKey: caller.userKey, principal: { subject: 'ana', name: 'Ana' } });
    await Promise.all([1, 2].map(() => rig.observer.begin(toolCall()).end(success)));
    expect(rig.spool.logs().filter((log) => log.eventName === 'gatelens.principal')).toHaveLength(1);
  });

  it('fail like any other when one of them cannot be made, and leave the others alone', async () => {
    const rig = gatheringRig();
    const broken = rig.observer.begin(toolCall({ target: { type: 'tool', name: undefined as unknown as string } }));
    const good = rig.observer.begin(toolCall());
    const ends = await Promise.allSettled([broken.end(success), good.end(success)]);
    expect(ends.map((end) => end.status)).toEqual(['rejected', 'fulfilled']);
    expect(rig.spool.records()).toHaveLength(1);
  });

  it('of a stream count twice: open, then closed', async () => {
    const rig = gatheringRig();
    const call = rig.observer.begin(toolCall({ kind: 'stream', method: 'stream', requestBody: Buffer.alloc(0) }));
    await call.intent();
    await call.end({ outcome: 'success', httpStatus: 200 });
    expect(rig.observer.counts).toMatchObject({ seen: 2, recorded: 2 });
  });
});
