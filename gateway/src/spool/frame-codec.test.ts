import { describe, expect, it } from 'vitest';
import {
  decodeFrame,
  encodeFrame,
  encodeGap,
  findFrame,
  frameBytes,
  MAX_FRAME_BYTES,
  scanFrames,
} from './frame-codec.ts';
import type { SpoolFrame } from './spool.ts';

const SALT = 0x1234_5678;
const LINK = { seq: 2n ** 63n - 1n, hash: 'ab'.repeat(32) };

function encoded(frame: SpoolFrame, salt = SALT, marks = { last: true, carried: false }): Buffer {
  const buffer = Buffer.alloc(frameBytes(frame), 0xee);
  encodeFrame(buffer, 0, frame, marks, salt);
  return buffer;
}

const RECORD: SpoolFrame = {
  type: 'record',
  stream: 'payload',
  bytes: Buffer.from('sealed bytes'),
  settles: 'call-1',
  link: LINK,
  startedAtNs: 1_764_000_000_123_456_789n,
};

describe('a frame', () => {
  it.each<[string, SpoolFrame]>([
    ['a chained record', RECORD],
    ['a plain record', { type: 'record', stream: 'metadata', bytes: Buffer.from('m'), startedAtNs: 0n }],
    ['an empty record', { type: 'record', stream: 'metadata', bytes: new Uint8Array(), startedAtNs: 5n }],
    ['an intent', { type: 'intent', callId: 'x'.repeat(255), bytes: Buffer.from('i') }],
  ])('comes back as it went: %s', (_, frame) => {
    const back = decodeFrame(encoded(frame), 0, frameBytes(frame), SALT);
    expect(back).toMatchObject({ type: frame.type, last: true, carried: false, end: frameBytes(frame) });
    expect(back?.bytes).toEqual(Buffer.from(frame.bytes));
    if (frame.type === 'intent') expect(back?.callId).toBe(frame.callId);
    else {
      expect(back).toMatchObject({ stream: frame.stream, callId: frame.settles ?? '', startedAtNs: frame.startedAtNs });
      expect(back?.link).toEqual(frame.link);
    }
  });

  it('is unreadable when any one bit of it is flipped', () => {
    const whole = encoded(RECORD);
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeFrame(flipped, 0, flipped.length, SALT), `bit ${bit}`).toBeUndefined();
    }
  });

  it('is not found in bytes a client chose, who does not know the salt', () => {
    const forged = encoded(RECORD, 0);
    expect(findFrame(forged, 0, forged.length, SALT)).toBeUndefined();
  });

  it.each([
    ['a call id beyond 255 bytes', { type: 'intent', callId: 'ü'.repeat(128), bytes: Buffer.alloc(1) }],
    ['a hash that is none', { ...RECORD, link: { seq: 1n, hash: 'abc' } }],
    ['more than 64 MiB', { ...RECORD, bytes: { length: MAX_FRAME_BYTES } as Uint8Array }],
  ] as [string, SpoolFrame][])('is refused with %s', (_, frame) => {
    expect(() => frameBytes(frame)).toThrow();
  });
});

describe('scanning', () => {
  it('finds what is readable around a damaged frame, and steps over a covered range', () => {
    const one = encoded(RECORD);
    const damaged = Buffer.from(one);
    damaged.fill(0, 70, 80);
    const log = Buffer.concat([one, damaged, one, encodeGap(100, SALT), Buffer.alloc(36, 0x47), one]);
    const starts: number[] = [];
    const gaps: [number, number][] = [];
    const end = scanFrames(log, 0, log.length, SALT, {
      frame: (frame) => frame.type === 'record' && starts.push(frame.start),
      gap: (from, to) => gaps.push([from, to]),
    });
    expect(starts).toEqual([0, 2 * one.length, 3 * one.length + 100]);
    expect(gaps).toEqual([[one.length, 2 * one.length]]);
    expect(end).toBe(log.length);
  });
});
