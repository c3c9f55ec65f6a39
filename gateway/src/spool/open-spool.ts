/**
 * Opens the spool of a directory: lock, identity, cursors, recovery, in this order, and nothing is written to segments
 * before all of it succeeded. The one entry to this folder for the rest of the gateway.
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GatelensError, isGatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { laterLink, loadChainIdentity, saveChainIdentity } from './chain-file.ts';
import { RecordChain } from './chain.ts';
import { type Cursor, loadCursor, NO_CURSOR } from './cursor.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { FileSpool, type ShippingSpool } from './file-spool.ts';
import { lockDirectory, unusable } from './lock.ts';
import { OpenIntents } from './open-intents.ts';
import { SegmentRecovery } from './recovery.ts';
import {
  decodeSegmentHeader,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  SEGMENT_VERSION,
  type SegmentHeader,
  segmentName,
} from './segment.ts';
import { SegmentLog, STREAMS } from './segment-log.ts';
import { SetAside } from './set-aside.ts';
import type { IntentFrame, SpoolStream } from './spool.ts';

export interface OpenSpoolOptions {
  /** used by this spool alone; made (0700) when missing */
  readonly dir: string;
  readonly logger: Logger;
  /** of segments and what was set aside; default 4 GiB */
  readonly maxBytes?: number;
  /** a segment above this size is followed by a new one; default 16 MiB */
  readonly segmentBytes?: number;
  /** how far a segment is laid out ahead; default 256 KiB, 0: not at all */
  readonly layOutBytes?: number;
  /** newest durable bytes kept in memory for shipping; default 8 MiB */
  readonly tailBytes?: number;
  /** of the id of a new chain; default `gw` */
  readonly chainPrefix?: string;
  readonly disk?: Disk;
  /** milliseconds since 1970 */
  readonly now?: () => number;
}

export interface OpenedSpool {
  readonly spool: ShippingSpool;
  /** Calls whose completion was never recorded: append a record that settles each. Given again until then. */
  readonly unsettled: readonly IntentFrame[];
}

async function readHeader(path: string): Promise<SegmentHeader | undefined> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const { bytesRead } = await file.read(bytes, 0, SEGMENT_HEADER_BYTES, 0);
    return decodeSegmentHeader(bytes.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function listSegments(dir: string): Promise<number[]> {
  const bases = (await readdir(dir)).map(parseSegmentName).filter((base) => base !== undefined);
  return bases.sort((a, b) => a - b);
}

/** @returns the intact headers by base, oldest first */
async function readHeaders(dir: string, bases: readonly number[]): Promise<Map<number, SegmentHeader>> {
  const headers = new Map<number, SegmentHeader>();
  let newest: SegmentHeader | undefined;
  for (const base of bases) {
    const header = await readHeader(join(dir, segmentName(base)));
    if (!header) continue;
    if (header.version !== SEGMENT_VERSION) {
      throw new GatelensError(
        'spool_corrupt',
        'The spool was written by a newer version of Gatelens. Run that version.'
      );
    }
    if (header.base !== base || (newest && newest.chainId !== header.chainId)) {
      throw new GatelensError(
        'spool_corrupt',
        `${segmentName(base)} does not belong here: it was renamed, or comes from another gateway. Move it away.`
      );
    }
    newest = header;
    headers.set(base, header);
  }
  return headers;
}

async function loadCursors(dir: string, logger: Logger): Promise<Record<SpoolStream, Cursor>> {
  const cursors = { metadata: NO_CURSOR, payload: NO_CURSOR };
  for (const stream of STREAMS) {
    const { cursor, isDamaged } = await loadCursor(dir, stream);
    if (cursor) cursors[stream] = cursor;
    // Shipping then begins anew with the oldest segment.
    if (isDamaged) logger.error('spool.cursor_damaged', { stream });
  }
  return cursors;
}

/**
 * @throws GatelensError `data_dir_locked`, `data_dir_unusable`, `spool_corrupt` (only where going on could fork the
 * chain; damaged segments are repaired, logged and counted)
 */
export async function openSpool(options: OpenSpoolOptions): Promise<OpenedSpool> {
  const lock = await lockDirectory(options.dir);
  try {
    return await openLocked(options, () => lock.release());
  } catch (error) {
    lock.release();
    throw isGatelensError(error) ? error : unusable(error);
  }
}

async function openLocked(options: OpenSpoolOptions, release: () => void): Promise<OpenedSpool> {
  const { dir, logger, disk = nodeDisk, now = Date.now, maxBytes = 4 * 1024 ** 3 } = options;
  const segmentBytes = Math.min(options.segmentBytes ?? 16 * 1024 * 1024, maxBytes / 4);
  const bases = await listSegments(dir);
  const headers = await readHeaders(dir, bases);
  const newest = [...headers.values()].at(-1);
  const identity = await loadChainIdentity(disk, dir, newest, options.chainPrefix ?? 'gw');
  const { salt } = identity;
  const cursors = await loadCursors(dir, logger);
  const setAside = await SetAside.open(disk, dir);

  const log = new SegmentLog();
  const intents = new OpenIntents();
  for (const stream of STREAMS) log.acked[stream] = cursors[stream].acked;
  const recovery = new SegmentRecovery(
    { disk, salt, chainId: identity.id, log, intents, logger },
    laterLink(laterLink(identity.head, cursors.metadata.link), cursors.payload.link)
  );
  for (const [index, base] of bases.entries()) {
    const next = bases[index + 1];
    const end = next === undefined ? undefined : (headers.get(next)?.previousEnd ?? next);
    await recovery.read(base, join(dir, segmentName(base)), end);
  }
  const { head, damagedRanges, waitingFrames, waitingRecords } = recovery.result();
  const chain = new RecordChain(identity.id, head);
  const unsettled = intents.all();
  logger.info('spool.opened', {
    chain: chain.id,
    seq: head.seq.toString(),
    segments: log.segments.length,
    waiting_frames: waitingFrames,
    unsettled: unsettled.length,
    damaged_ranges: damagedRanges,
  });

  const spool = new FileSpool({
    dir,
    disk,
    chain,
    salt,
    log,
    intents,
    cursors,
    setAside,
    logger,
    maxBytes,
    segmentBytes,
    layOutBytes: options.layOutBytes ?? Math.min(256 * 1024, segmentBytes),
    tailBytes: options.tailBytes ?? 8 * 1024 * 1024,
    // Never below a cursor: where segments are missing, new frames must not count as shipped.
    position: Math.max(log.end(), ...STREAMS.flatMap((stream) => [cursors[stream].acked, ...cursors[stream].ends])),
    previousEnd: log.end(),
    records: waitingRecords,
    damagedRanges,
    now,
    saveHead: () => saveChainIdentity(disk, dir, { id: chain.id, salt, head: chain.durableHead() }),
    release,
  });
  return { spool, unsettled };
}
