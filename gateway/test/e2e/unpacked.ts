/**
 * What is packed inside bytes: gzip, zlib, zstd and LZ4 frames wherever they begin, and the compressed blocks of
 * ClickHouse's column files (LZ4 or zstd, behind other codecs, too). For tests that look for what must not be there, so
 * rather too much is taken for packed than too little; what does not unpack is left alone.
 */
import { constants, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
const MAX_DEPTH = 3;

/** @returns the bytes themselves and all that is packed in them, each with how it was packed */
export function unpacked(bytes: Buffer, depth = 0): [how: string, bytes: Buffer][] {
  const layers: [string, Buffer][] = [['', bytes]];
  if (depth >= MAX_DEPTH) return layers;
  const inner: [string, Buffer][] = [];
  const blocks = clickhouseBlocks(bytes);
  if (blocks !== undefined) inner.push([' in ClickHouse blocks', blocks]);
  for (const { name, magic, unpack } of FORMATS) {
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      const found = attempt(() => unpack(bytes.subarray(at)));
      if (found !== undefined && found.length > 0) inner.push([` in ${name}`, found]);
    }
  }
  for (const [how, found] of inner) {
    for (const [more, layer] of unpacked(found, depth + 1)) layers.push([`${how}${more}`, layer]);
  }
  return layers;
}

/** Cut off or followed by other things: what can be had of it. */
const PARTLY = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_UNPACKED_BYTES };
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

const FORMATS: readonly { name: string; magic: Buffer; unpack: (bytes: Buffer) => Buffer }[] = [
  { name: 'gzip', magic: Buffer.from([0x1f, 0x8b, 0x08]), unpack: (bytes) => gunzipSync(bytes, PARTLY) },
  { name: 'zlib', magic: Buffer.from([0x78, 0x01]), unpack: (bytes) => inflateSync(bytes, PARTLY) },
  { name: 'zlib', magic: Buffer.from([0x78, 0x9c]), unpack: (bytes) => inflateSync(bytes, PARTLY) },
  { name: 'zlib', magic: Buffer.from([0x78, 0xda]), unpack: (bytes) => inflateSync(bytes, PARTLY) },
  { name: 'zstd', magic: ZSTD_MAGIC, unpack: (bytes) => zstdDecompressSync(bytes.subarray(0, zstdFrameBytes(bytes))) },
  { name: 'LZ4', magic: Buffer.from([0x04, 0x22, 0x4d, 0x18]), unpack: lz4Frame },
];

function attempt(unpack: () => Buffer): Buffer | undefined {
  try {
    return unpack();
  } catch {
    return undefined;
  }
}

/** RFC 8878, 3.1.1: the length of a frame, from its header and its blocks' headers. */
function zstdFrameBytes(bytes: Buffer): number {
  const descriptor = bytes.readUInt8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  let at = 5 + (singleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
  for (let last = false; !last;) {
    const header = bytes.readUIntLE(at, 3);
    last = (header & 1) !== 0;
    // a block that repeats one byte holds only that
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
  }
  return at + ((descriptor & 4) !== 0 ? 4 : 0);
}

function lz4Frame(bytes: Buffer): Buffer {
  const flags = bytes.readUInt8(4);
  let at = 6 + ((flags & 8) !== 0 ? 8 : 0) + ((flags & 1) !== 0 ? 4 : 0) + 1;
  const blocks: Buffer[] = [];
  for (;;) {
    const header = bytes.readUInt32LE(at);
    at += 4;
    const size = header & 0x7fffffff;
    if (size === 0) break;
    const block = bytes.subarray(at, at + size);
    blocks.push(header >>> 31 === 1 ? block : lz4Block(block));
    at += size + ((flags & 16) !== 0 ? 4 : 0);
  }
  return Buffer.concat(blocks);
}

/** LZ4 block format: literals and back references. */
function lz4Block(block: Buffer): Buffer {
  const out: number[] = [];
  let at = 0;
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble === 15) {
      for (let byte = 255; byte === 255; sum += byte) byte = block.readUInt8(at++);
    }
    return sum;
  };
  while (at < block.length) {
    const token = block.readUInt8(at++);
    const literals = length(token >> 4);
    for (let n = 0; n < literals; n++) out.push(block.readUInt8(at++));
    if (at >= block.length) break;
    const offset = block.readUInt16LE(at);
    at += 2;
    const match = length(token & 15) + 4;
    if (offset === 0 || offset > out.length) throw new RangeError('no LZ4 block');
    for (let n = 0; n < match; n++) out.push(out[out.length - offset] ?? 0);
    if (out.length > MAX_UNPACKED_BYTES) throw new RangeError('too much');
  }
  return Buffer.from(out);
}

const CHECKSUM_BYTES = 16;
const HEADER_BYTES = 9;
const METHOD = { none: 0x02, lz4: 0x82, zstd: 0x90, multiple: 0x91 } as const;

/** A file of compressed blocks from its first byte on: checksum, method, both sizes, data. Undefined when it is none. */
function clickhouseBlocks(bytes: Buffer): Buffer | undefined {
  const blocks: Buffer[] = [];
  let at = 0;
  while (at + CHECKSUM_BYTES + HEADER_BYTES <= bytes.length) {
    const start = at + CHECKSUM_BYTES;
    const size = bytes.readUInt32LE(start + 1);
    if (size < HEADER_BYTES || start + size > bytes.length) break;
    const block = attempt(() => clickhouseBlock(bytes.subarray(start, start + size)));
    if (block === undefined) break;
    blocks.push(block);
    at = start + size;
  }
  return blocks.length === 0 ? undefined : Buffer.concat(blocks);
}

/** @param block with its header; numbers packed by a codec of their own stay as they are */
function clickhouseBlock(block: Buffer): Buffer {
  const method = block.readUInt8(0);
  const data = block.subarray(HEADER_BYTES);
  switch (method) {
    case METHOD.none:
      return data;
    case METHOD.lz4:
      return lz4Block(data);
    case METHOD.zstd:
      return zstdDecompressSync(data, { maxOutputLength: MAX_UNPACKED_BYTES });
    case METHOD.multiple: {
      // number of codecs, their codes, then what the last of them made
      const codecs = data.readUInt8(0);
      const outer = data.subarray(1 + codecs);
      return attempt(() => clickhouseBlock(outer)) ?? outer;
    }
    default:
      if (method >= 0x92 && method <= 0x9f) return data;
      throw new RangeError('no block');
  }
}
