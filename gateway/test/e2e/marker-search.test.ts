/** The search behind marker.test.ts finds what is there: a search that finds nothing proves nothing. */
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Markers } from './marker.ts';

const markers = new Markers('mk0123456789abcdef');
const text = `before ${markers.of('Argument')} after`;
const noise = Buffer.from(Array.from({ length: 200 }, (_, n) => (n * 7919) % 251));
const amid = (bytes: Buffer): Buffer => Buffer.concat([noise, bytes, noise]);

/** One LZ4 sequence of literals alone. */
function lz4Literals(bytes: Buffer): Buffer {
  const lengths: number[] = [];
  let rest = bytes.length - 15;
  for (; rest >= 255; rest -= 255) lengths.push(255);
  return Buffer.concat([Buffer.from([0xf0, ...lengths, rest]), bytes]);
}

function lz4Frame(bytes: Buffer): Buffer {
  const block = lz4Literals(bytes);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0]), size, block, Buffer.alloc(4)]);
}

function clickhouse(method: number, data: Buffer, size: number): Buffer {
  const header = Buffer.alloc(25);
  header.writeUInt8(method, 16);
  header.writeUInt32LE(9 + data.length, 17);
  header.writeUInt32LE(size, 21);
  return Buffer.concat([header, data]);
}

const raw = Buffer.from(text);
const zstdBlock = clickhouse(0x90, zstdCompressSync(raw), raw.length);

describe('the search for markers', () => {
  it.each<[string, Buffer]>([
    ['plain', amid(raw)],
    ['JSON', amid(Buffer.from(JSON.stringify({ a: text })))],
    ['JSON in JSON', amid(Buffer.from(JSON.stringify({ a: JSON.stringify({ b: `"\n${text}` }) })))],
    ...['a', 'ab', 'abc', 'abcd'].map((lead): [string, Buffer] => [
      `base64 behind ${lead.length}`,
      amid(Buffer.from(Buffer.from(`${lead}${text}`).toString('base64'))),
    ]),
    ['base64url', amid(Buffer.from(raw.toString('base64url')))],
    ['hex', amid(Buffer.from(raw.toString('hex')))],
    ['UTF-16LE', amid(Buffer.from(text, 'utf16le'))],
    ['UTF-16BE', amid(Buffer.from(text, 'utf16le').swap16())],
    ['percent', amid(Buffer.from(raw.toString('hex').replace(/../g, '%$&')))],
    ['gzip', amid(gzipSync(raw))],
    ['zlib', amid(deflateSync(raw))],
    ['zstd', amid(zstdCompressSync(raw))],
    ['LZ4', amid(lz4Frame(raw))],
    ['base64 in zstd in gzip', amid(gzipSync(zstdCompressSync(Buffer.from(raw.toString('base64')))))],
    ['ClickHouse zstd', zstdBlock],
    ['ClickHouse LZ4', clickhouse(0x82, lz4Literals(raw), raw.length)],
    ['ClickHouse, a later block', Buffer.concat([clickhouse(0x82, lz4Literals(noise), noise.length), zstdBlock])],
    [
      'ClickHouse codecs one in another',
      clickhouse(0x91, Buffer.concat([Buffer.from([1, 0x90]), zstdBlock.subarray(16)]), 0),
    ],
  ])('finds it in %s, and says which', (_, bytes) => {
    const found = markers.find(bytes, 'here');
    expect(found.map((one) => one.marker)).toContain('Argument');
  });

  it('finds nothing where nothing is', () => {
    expect(markers.find(amid(Buffer.from('mk0123456789abcdee')), 'here')).toEqual([]);
    expect(markers.find(gzipSync(noise), 'here')).toEqual([]);
  });
});
