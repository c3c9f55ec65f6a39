/**
 * `cursor-<stream>.json`: how far a stream has got, and where the batch that is on its way ends. Written before a batch
 * is sent, so that a retry after a crash sends the same bytes. A cursor that cannot be read costs a second delivery, not
 * a record: shipping then begins at the oldest segment.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linkFromJson, linkToJson } from './chain-file.ts';
import { type Disk, systemErrorCode } from './disk.ts';
import { replaceFile } from './durable-file.ts';
import type { ChainLink, SpoolStream } from './spool.ts';

export interface Cursor {
  /** position behind what the store accepted */
  readonly acked: number;
  /** ends of the batches decided on, ascending; more than one while a refused batch is being divided */
  readonly ends: readonly number[];
  /** newest chained record the store accepted: a floor under the chain's head */
  readonly link: ChainLink | undefined;
}

export const NO_CURSOR: Cursor = { acked: 0, ends: [], link: undefined };

function cursorPath(dir: string, stream: SpoolStream): string {
  return join(dir, `cursor-${stream}.json`);
}

function isPosition(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseCursor(text: string): Cursor | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('acked' in value) || !('ends' in value)) return undefined;
  const { acked, ends } = value;
  if (!isPosition(acked) || !Array.isArray(ends)) return undefined;
  const positions: number[] = [];
  for (const end of ends as unknown[]) {
    if (!isPosition(end) || end <= (positions.at(-1) ?? acked)) return undefined;
    positions.push(end);
  }
  return { acked, ends: positions, link: 'link' in value ? linkFromJson(value.link) : undefined };
}

/** @returns undefined when there is none, or none that can be read (`isDamaged`) */
export async function loadCursor(
  dir: string,
  stream: SpoolStream
): Promise<{ cursor: Cursor | undefined; isDamaged: boolean }> {
  let text: string;
  try {
    text = await readFile(cursorPath(dir, stream), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { cursor: undefined, isDamaged: false };
    throw error;
  }
  const cursor = parseCursor(text);
  return { cursor, isDamaged: !cursor };
}

export async function saveCursor(disk: Disk, dir: string, stream: SpoolStream, cursor: Cursor): Promise<void> {
  const { acked, ends, link } = cursor;
  const content = { version: 1, acked, ends, ...(link ? { link: linkToJson(link) } : {}) };
  await replaceFile(disk, cursorPath(dir, stream), `${JSON.stringify(content)}\n`);
}
