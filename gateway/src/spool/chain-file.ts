/**
 * `chain.json`: who this chain is (`gw-1a2b3c4d`), the salt of its frames, and a floor under its head. It is made once
 * and outlives the segments; without it, and with no segment left, a new chain begins. It never guesses: a file that
 * cannot be read while it is the only source is an error for a person.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatelensError } from '../errors.ts';
import { GENESIS } from './chain.ts';
import { type Disk, systemErrorCode } from './disk.ts';
import { replaceFile } from './durable-file.ts';
import type { SegmentHeader } from './segment.ts';
import type { ChainLink } from './spool.ts';

export interface ChainIdentity {
  readonly id: string;
  /** seed of the frames' CRC, unsigned 32 bits */
  readonly salt: number;
  /** the head is this one or a later one */
  readonly head: ChainLink;
}

const FILE = 'chain.json';

function linkOf(value: unknown): ChainLink | undefined {
  if (typeof value !== 'object' || value === null || !('seq' in value) || !('hash' in value)) return undefined;
  const { seq, hash } = value;
  if (typeof seq !== 'string' || !/^\d{1,19}$/.test(seq)) return undefined;
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  return { seq: BigInt(seq), hash };
}

/** JSON of a link: seq as text, since it may exceed what a JSON number holds. */
export function linkToJson(link: ChainLink): { seq: string; hash: string } {
  return { seq: link.seq.toString(), hash: link.hash };
}

/** @returns undefined when it is not the JSON of a link */
export function linkFromJson(value: unknown): ChainLink | undefined {
  return linkOf(value);
}

export function laterLink(a: ChainLink, b: ChainLink | undefined): ChainLink {
  return b && b.seq > a.seq ? b : a;
}

function parseIdentity(text: string): ChainIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('id' in value) || !('salt' in value) || !('head' in value)) return undefined;
  const head = linkOf(value.head);
  if (typeof value.id !== 'string' || !/^[a-z]{1,8}-[0-9a-f]{8}$/.test(value.id) || !head) return undefined;
  if (typeof value.salt !== 'number' || !Number.isInteger(value.salt)) return undefined;
  return { id: value.id, salt: value.salt >>> 0, head };
}

/** @param text content of the file. @returns undefined when it is damaged */
export function readChainId(text: string): string | undefined {
  return parseIdentity(text)?.id;
}

export async function saveChainIdentity(disk: Disk, dir: string, identity: ChainIdentity): Promise<void> {
  const { id, salt, head } = identity;
  const content = `${JSON.stringify({ version: 1, id, salt, head: linkToJson(head) })}\n`;
  await replaceFile(disk, join(dir, FILE), content, true);
}

/**
 * @param newest the header of the newest segment, where there is one
 * @throws GatelensError `spool_corrupt` when the identity cannot be known for certain
 */
export async function loadChainIdentity(
  disk: Disk,
  dir: string,
  newest: SegmentHeader | undefined,
  prefix: string
): Promise<ChainIdentity> {
  let text: string | undefined;
  try {
    text = await readFile(join(dir, FILE), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  const known = text === undefined ? undefined : parseIdentity(text);
  if (known && newest && known.id !== newest.chainId) {
    throw new GatelensError(
      'spool_corrupt',
      `${FILE} names chain ${known.id}, but the segments beside it belong to chain ${newest.chainId}. ` +
        'Restore the whole directory from one backup, or move one of the two away.'
    );
  }
  if (known) return known;
  if (text !== undefined && !newest) {
    throw new GatelensError(
      'spool_corrupt',
      `${FILE} is damaged and no segment names the chain. Restore it from a backup, or remove it to begin a new chain.`
    );
  }
  const identity = newest
    ? { id: newest.chainId, salt: newest.salt, head: newest.head }
    : { id: `${prefix}-${randomBytes(4).toString('hex')}`, salt: randomBytes(4).readUInt32LE(0), head: GENESIS };
  await saveChainIdentity(disk, dir, identity);
  return identity;
}
