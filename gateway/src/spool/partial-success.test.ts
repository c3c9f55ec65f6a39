import { describe, expect, it } from 'vitest';
import { rejectedCount } from './partial-success.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('the rejected count of an OTLP answer', () => {
  it.each<[string, string, Uint8Array, bigint | undefined]>([
    ['an empty body', 'application/x-protobuf', bytes(), 0n],
    ['an empty body of any type', 'text/plain', bytes(), 0n],
    ['an empty partial_success', 'application/x-protobuf', bytes(0x0a, 0), 0n],
    ['three rejected', 'application/x-protobuf; charset=x', bytes(0x0a, 2, 0x08, 3), 3n],
    ['300 rejected with a message', '', bytes(0x0a, 6, 0x08, 0xac, 0x02, 0x12, 1, 0x78), 300n],
    ['a warning without rejection', 'application/x-protobuf', bytes(0x0a, 3, 0x12, 1, 0x78), 0n],
    ['unknown fields', 'application/x-protobuf', bytes(0x10, 7, 0x1d, 1, 2, 3, 4, 0x0a, 2, 0x08, 1), 1n],
    ['a cut message', 'application/x-protobuf', bytes(0x0a, 9, 0x08), undefined],
    ['a cut varint', 'application/x-protobuf', bytes(0x0a, 2, 0x08, 0x80), undefined],
    ['a varint without end', 'application/x-protobuf', bytes(0x08, ...Array<number>(11).fill(0xff)), undefined],
    ['a group, which nobody sends', 'application/x-protobuf', bytes(0x0b), undefined],
    ['JSON', 'application/json', Buffer.from('{"partialSuccess":{"rejectedSpans":"2"}}'), 2n],
    ['JSON of logs', 'application/json', Buffer.from('{"partialSuccess":{"rejectedLogRecords":4}}'), 4n],
    ['JSON without rejection', 'application/json', Buffer.from('{}'), 0n],
    ['JSON that is none', 'application/json', Buffer.from('{'), undefined],
    ['a login page', 'text/html', Buffer.from('<html>'), undefined],
  ])('of %s', (_, contentType, body, expected) => {
    expect(rejectedCount(contentType, body)).toBe(expected);
  });
});
