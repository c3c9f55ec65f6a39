/**
 * A frame on disk: 64 bytes of header, the call id, the bytes of the record, one end mark. Little-endian:
 *
 *     0  magic  4   8  length 4   12 type 1  13 stream 1  14 flags 1  15 call id length 1
 *     4  crc    4  16  startedAtNs 8         24 seq 8     32 hash 32
 *
 * The CRC-32 covers everything after itself and is seeded with a secret salt of the directory, so that bytes a client
 * chose never pass for a frame. The end mark is no zero, so a frame cut short in a file laid out with zeros shows. The
 * codec looks at no record and repairs nothing: it says what is readable.
 */
import { crc32 } from 'node:zlib';
import { GatelensError } from '../errors.ts';
import type { ChainLink, SpoolFrame, SpoolStream } from './spool.ts';

export const FRAME_HEADER_BYTES = 64;
export const FRAME_END_MARK = 0xa5;
const END_MARK_BYTES = 1;
/** The largest frame: above any body the relay accepts, below what would fill memory. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

const MAGIC = Buffer.from([0x47, 0x4c, 0xf7, 0x01]);
const MAGIC_VALUE = MAGIC.readUInt32LE(0);
const CRC_FROM = 8;

const TYPE_RECORD = 1;
const TYPE_INTENT = 2;
const TYPE_GAP = 3;
const STREAM_CODE: Record<SpoolStream, number> = { metadata: 1, payload: 2 };

/** the last frame of its append: an append without it never happened */
const FLAG_LAST = 1;
const FLAG_LINK = 2;
/** a copy of an older intent, moved so that its first segment could go */
const FLAG_CARRIED = 4;

export interface StoredFrame {
  readonly type: 'record' | 'intent' | 'gap';
  readonly stream: SpoolStream | undefined;
  readonly last: boolean;
  readonly carried: boolean;
  /** intent: its call; record: the call it settles, or `''` */
  readonly callId: string;
  readonly link: ChainLink | undefined;
  readonly startedAtNs: bigint;
  /** where it stands in the buffer it was read from */
  readonly start: number;
  readonly end: number;
  /** a view of that buffer */
  readonly bytes: Buffer;
}

export interface FrameMarks {
  readonly last: boolean;
  readonly carried: boolean;
}

function callIdOf(frame: SpoolFrame): string {
  return frame.type === 'intent' ? frame.callId : (frame.settles ?? '');
}

/** The bytes a frame takes on disk. Throws what an append rejects with when the frame cannot be written at all. */
export function frameBytes(frame: SpoolFrame): number {
  const callIdBytes = Buffer.byteLength(callIdOf(frame));
  if (callIdBytes > 255 || (frame.type === 'record' && frame.link && frame.link.hash.length !== 64)) {
    throw new GatelensError('internal', 'The spool was given a malformed frame: call ids have at most 255 bytes.');
  }
  const total = FRAME_HEADER_BYTES + callIdBytes + frame.bytes.length + END_MARK_BYTES;
  if (total > MAX_FRAME_BYTES) {
    throw new GatelensError('audit_unavailable', 'One record exceeds 64 MiB. Lower capture.maxBytes.');
  }
  return total;
}

/** @returns the offset behind the frame; `target` must have room for frameBytes(frame) */
export function encodeFrame(target: Buffer, at: number, frame: SpoolFrame, marks: FrameMarks, salt: number): number {
  const record = frame.type === 'record' ? frame : undefined;
  const callIdBytes = target.write(callIdOf(frame), at + FRAME_HEADER_BYTES, 'utf8');
  const end = at + FRAME_HEADER_BYTES + callIdBytes + frame.bytes.length + END_MARK_BYTES;
  target.writeUInt32LE(MAGIC_VALUE, at);
  target.writeUInt32LE(frame.bytes.length, at + 8);
  target[at + 12] = record ? TYPE_RECORD : TYPE_INTENT;
  target[at + 13] = record ? STREAM_CODE[record.stream] : 0;
  target[at + 14] = (marks.last ? FLAG_LAST : 0) | (record?.link ? FLAG_LINK : 0) | (marks.carried ? FLAG_CARRIED : 0);
  target[at + 15] = callIdBytes;
  target.writeBigUInt64LE(record?.startedAtNs ?? 0n, at + 16);
  if (record?.link) {
    target.writeBigUInt64LE(record.link.seq, at + 24);
    target.write(record.link.hash, at + 32, 32, 'hex');
  } else {
    target.fill(0, at + 24, at + FRAME_HEADER_BYTES);
  }
  target.set(frame.bytes, at + FRAME_HEADER_BYTES + callIdBytes);
  target[end - 1] = FRAME_END_MARK;
  target.writeUInt32LE(crc32(target.subarray(at + CRC_FROM, end), salt), at + 4);
  return end;
}

/** A header that covers a damaged range, so that what follows it is found again. Its CRC covers the header only. */
export function encodeGap(rangeBytes: number, salt: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(MAGIC_VALUE, 0);
  header.writeUInt32LE(rangeBytes - FRAME_HEADER_BYTES, 8);
  header[12] = TYPE_GAP;
  header[14] = FLAG_LAST;
  header.writeUInt32LE(crc32(header.subarray(CRC_FROM), salt), 4);
  return header;
}

/** Size by the header at `at`, or undefined when there is no plausible header within `limit`. */
export function declaredFrameBytes(buffer: Buffer, at: number, limit: number): number | undefined {
  if (at + FRAME_HEADER_BYTES > limit || buffer.readUInt32LE(at) !== MAGIC_VALUE) return undefined;
  const type = buffer.readUInt8(at + 12);
  const content = buffer.readUInt8(at + 15) + buffer.readUInt32LE(at + 8);
  if (type === TYPE_GAP) return FRAME_HEADER_BYTES + content;
  const total = FRAME_HEADER_BYTES + content + END_MARK_BYTES;
  return (type === TYPE_RECORD || type === TYPE_INTENT) && total <= MAX_FRAME_BYTES ? total : undefined;
}

/** Whether the frame at `at`, which is known to be one, goes to a stream. */
export function isRecordOf(buffer: Buffer, at: number, stream: SpoolStream): boolean {
  return buffer[at + 12] === TYPE_RECORD && buffer[at + 13] === STREAM_CODE[stream];
}

/** The bytes of the record in a frame of `total` bytes. */
export function recordBytes(buffer: Buffer, at: number, total: number): Buffer {
  return buffer.subarray(at + FRAME_HEADER_BYTES + (buffer[at + 15] ?? 0), at + total - END_MARK_BYTES);
}

export function startedAtNs(buffer: Buffer, at: number): bigint {
  return buffer.readBigUInt64LE(at + 16);
}

export function isLinked(buffer: Buffer, at: number): boolean {
  return ((buffer[at + 14] ?? 0) & FLAG_LINK) !== 0;
}

/** Of a frame that is linked. */
export function linkOf(buffer: Buffer, at: number): ChainLink {
  return { seq: buffer.readBigUInt64LE(at + 24), hash: buffer.toString('hex', at + 32, at + 64) };
}

/** @returns the whole and intact frame at `at`, or undefined */
export function decodeFrame(buffer: Buffer, at: number, limit: number, salt: number): StoredFrame | undefined {
  const total = declaredFrameBytes(buffer, at, limit);
  if (total === undefined || at + total > limit) return undefined;
  const end = at + total;
  const type = buffer.readUInt8(at + 12);
  const crcEnd = type === TYPE_GAP ? at + FRAME_HEADER_BYTES : end;
  if (crc32(buffer.subarray(at + CRC_FROM, crcEnd), salt) !== buffer.readUInt32LE(at + 4)) return undefined;
  const flags = buffer.readUInt8(at + 14);
  const streamCode = buffer.readUInt8(at + 13);
  const bytesAt = at + FRAME_HEADER_BYTES + buffer.readUInt8(at + 15);
  return {
    type: type === TYPE_RECORD ? 'record' : type === TYPE_INTENT ? 'intent' : 'gap',
    stream: streamCode === 1 ? 'metadata' : streamCode === 2 ? 'payload' : undefined,
    last: (flags & FLAG_LAST) !== 0,
    carried: (flags & FLAG_CARRIED) !== 0,
    callId: buffer.toString('utf8', at + FRAME_HEADER_BYTES, bytesAt),
    link: isLinked(buffer, at) ? linkOf(buffer, at) : undefined,
    startedAtNs: startedAtNs(buffer, at),
    start: at,
    end,
    bytes: buffer.subarray(bytesAt, type === TYPE_GAP ? bytesAt : end - END_MARK_BYTES),
  };
}

/** @returns the offset of the first readable frame at or after `from` */
export function findFrame(buffer: Buffer, from: number, limit: number, salt: number): number | undefined {
  for (let at = from; at < limit; at += 1) {
    at = buffer.indexOf(MAGIC, at);
    if (at < 0 || at >= limit) return undefined;
    if (decodeFrame(buffer, at, limit, salt)) return at;
  }
  return undefined;
}

export interface FrameVisitor {
  frame(frame: StoredFrame): void;
  /** an unreadable range with a readable frame behind it */
  gap(from: number, to: number): void;
}

/**
 * Visits every readable frame between `from` and `limit`.
 * @returns the end of the last readable frame (`from` when there is none)
 */
export function scanFrames(buffer: Buffer, from: number, limit: number, salt: number, visitor: FrameVisitor): number {
  let at = from;
  while (at < limit) {
    const frame = decodeFrame(buffer, at, limit, salt);
    if (frame) {
      visitor.frame(frame);
      at = frame.end;
      continue;
    }
    // A damaged frame has at least a header, so the next one begins a header further on at the earliest.
    const next = findFrame(buffer, at + FRAME_HEADER_BYTES, limit, salt);
    if (next === undefined) break;
    visitor.gap(at, next);
    at = next;
  }
  return at;
}
