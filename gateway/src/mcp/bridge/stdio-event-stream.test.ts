import { describe, expect, it } from 'vitest';
import type { SseAnswer, SseEvent } from '../exchange.ts';
import { EventStream, FlowGauge, type Carrier } from './stdio-event-stream.ts';
import { ReplayBuffer } from './stdio-replay.ts';

/** A connection that notes what it got. */
class Connection implements SseAnswer {
  readonly got: string[] = [];
  readonly carrier: Carrier = { answer: this, destroy: () => void (this.destroyed = true) };
  destroyed = false;
  /** how many events it takes before the client is gone */
  takes = Infinity;

  send(event: SseEvent): Promise<boolean> {
    if (this.got.length >= this.takes) return Promise.resolve(false);
    this.got.push(`${event.id ?? ''}:${Buffer.from(event.data).toString()}`);
    return Promise.resolve(true);
  }

  keepAlive(): void {
    this.got.push('keep-alive');
  }

  end(): Promise<void> {
    this.got.push('end');
    return Promise.resolve();
  }
}

function createStream(limits: { maxEvents?: number; maxBytes?: number } = {}) {
  const lost: number[] = [];
  const flow: string[] = [];
  const stream = new EventStream({
    streamNo: 3,
    replay: new ReplayBuffer({ maxEvents: 100, maxBytes: 1_000, ...limits }),
    gauge: new FlowGauge(
      10,
      () => flow.push('full'),
      () => flow.push('free')
    ),
    stallTimeoutMs: 10_000,
    keepAliveMs: 10_000,
    graceMs: 10_000,
    onLost: (events) => lost.push(events),
  });
  return { stream, lost, flow };
}

const RECORDED = Promise.resolve();

function event(data: string, settled: Promise<unknown> = RECORDED, instead?: string) {
  const more = instead === undefined ? {} : { instead: () => Buffer.from(instead) };
  return { data: Buffer.from(data), settled, ...more };
}

describe('EventStream', () => {
  it('sends nothing before it is recorded, and nothing out of order', async () => {
    const { stream } = createStream();
    const connection = new Connection();
    void stream.attach(connection.carrier);
    let record: () => void = () => undefined;
    stream.push(event('slow', new Promise<void>((resolve) => (record = resolve))));
    stream.push(event('fast'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(connection.got).toEqual([]);
    record();
    await stream.end();
    expect(connection.got).toEqual(['3-1:slow', '3-2:fast', 'end']);
  });

  it('sends what stands in for an event that could not be recorded, or nothing', async () => {
    const { stream } = createStream();
    const connection = new Connection();
    void stream.attach(connection.carrier);
    stream.push(event('kept from the client', Promise.reject(new Error('disk')), 'error'));
    stream.push(event('kept too', Promise.reject(new Error('disk'))));
    stream.push(event('next'));
    await stream.end();
    expect(connection.got).toEqual(['3-1:error', '3-2:next', 'end']);
  });

  it('gives a new connection what the old one did not take, before what comes later', async () => {
    const { stream } = createStream();
    const [first, second] = [new Connection(), new Connection()];
    first.takes = 1;
    void stream.attach(first.carrier);
    for (const data of ['a', 'b']) stream.push(event(data));
    await new Promise((resolve) => setImmediate(resolve));
    stream.push(event('c'));
    const released = stream.attach(second.carrier);
    stream.push(event('d'));
    await stream.end();
    await released;
    expect([first.got, first.destroyed]).toEqual([['3-1:a'], true]);
    expect(second.got).toEqual(['3-2:b', '3-3:c', '3-4:d', 'end']);
  });

  it.each([
    ['count', { maxEvents: 2 }],
    ['bytes', { maxBytes: 2 }],
  ])('counts what fell out of a replay buffer bounded by %s', async (_by, limits) => {
    const { stream, lost } = createStream(limits);
    for (const data of ['a', 'b', 'c', 'd']) stream.push(event(data));
    const connection = new Connection();
    void stream.attach(connection.carrier);
    await stream.end();
    expect(connection.got).toEqual(['3-3:c', '3-4:d', 'end']);
    expect(lost).toEqual([2]);
  });

  it('holds the child back while more waits than may, and lets go in time', async () => {
    const { stream, flow } = createStream();
    stream.push(event('123456'));
    expect(flow).toEqual([]);
    stream.push(event('789012'));
    expect(flow).toEqual(['full']);
    await stream.end();
    expect(flow).toEqual(['full', 'free']);
  });
});
