import { expect, it } from 'vitest';
import { EventStreamParser } from './event-stream.ts';

const bytes = new TextEncoder();

it('gives whole events, wherever the bytes were cut', () => {
  const text =
    'event: ready\ndata: {"at":"now"}\n\n: ping\n\nevent: call\ndata: {"id":"ä😀"}\n\nevent: call\ndata: {"id"';
  const whole = bytes.encode(text);
  for (const size of [1, 2, 3, 7, 1000]) {
    const parser = new EventStreamParser();
    const events = [];
    for (let at = 0; at < whole.length; at += size) events.push(...parser.push(whole.subarray(at, at + size)));
    expect(events).toEqual([
      { event: 'ready', data: '{"at":"now"}' },
      { event: 'call', data: '{"id":"ä😀"}' },
    ]);
  }
});
