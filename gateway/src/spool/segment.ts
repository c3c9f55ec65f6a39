/**
 * A segment file: `<base>.spool`, a header of 128 bytes, then frames. `base` is the position of its first byte in the
 * log of the directory; a position never changes its meaning. A header also says where the segment before it ended:
 * bytes beyond that are leavings of a failed write and are not read.
 *
 *     0 magic 8   8 crc 4   12 version 2   14 header bytes 2   16 salt 4   24 base 8
 *     32 createdAtMs 8   40 chain seq 8   48 chain hash 32   80 previousEnd 8   88 chain id 40, zero-padded
 */
import { crc32 } from 'node:zlib';
import type { ChainLink } from './spool.ts';

export const SEGMENT_HEADER_BYTES = 128;
export const SEGMENT_VERSION = 1;

const MAGIC = Buffer.from('GLSPOOL\n');
const CHAIN_ID_AT = 88;
const CHAIN_ID_BYTES = 40;
const NAME = /^(\d{16})\.spool$/;

export interface SegmentHeader {
  readonly version: number;
  readonly salt: number;
  readonly base: number;
  /** position behind what counts in the segment before */
  readonly previousEnd: number;
  readonly createdAtMs: number;
  /** head of the chain before the first frame here */
  readonly head: ChainLink;
  readonly chainId: string;
}

export function segmentName(base: number): string {
  return `${String(base).padStart(16, '0')}.spool`;
}

/** @returns the base, or undefined when the name is not one of a segment */
export function parseSegmentName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function encodeSegmentHeader(header: Omit<SegmentHeader, 'version'>): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt16LE(SEGMENT_VERSION, 12);
  bytes.writeUInt16LE(SEGMENT_HEADER_BYTES, 14);
  bytes.writeUInt32LE(header.salt, 16);
  bytes.writeBigUInt64LE(BigInt(header.base), 24);
  bytes.writeBigUInt64LE(BigInt(header.createdAtMs), 32);
  bytes.writeBigUInt64LE(header.head.seq, 40);
  bytes.write(header.head.hash, 48, 32, 'hex');
  bytes.writeBigUInt64LE(BigInt(header.previousEnd), 80);
  bytes.write(header.chainId, CHAIN_ID_AT, CHAIN_ID_BYTES, 'utf8');
  bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
  return bytes;
}

/** @returns undefined when it is not an intact header */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (crc32(bytes.subarray(12, SEGMENT_HEADER_BYTES)) !== bytes.readUInt32LE(8)) return undefined;
  const chainId = bytes.subarray(CHAIN_ID_AT, SEGMENT_HEADER_BYTES);
  const padding = chainId.indexOf(0);
  return {
    version: bytes.readUInt16LE(12),
    salt: bytes.readUInt32LE(16),
    base: Number(bytes.readBigUInt64LE(24)),
    previousEnd: Number(bytes.readBigUInt64LE(80)),
    createdAtMs: Number(bytes.readBigUInt64LE(32)),
    head: { seq: bytes.readBigUInt64LE(40), hash: bytes.toString('hex', 48, 80) },
    chainId: chainId.toString('utf8', 0, padding < 0 ? CHAIN_ID_BYTES : padding),
  };
}
