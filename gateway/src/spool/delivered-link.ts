/**
 * What the spool of a directory knows of the far end: the newest link of its chain that the store has taken. Read from
 * the files beside the segments, running or not; opens and changes nothing. For verification, which could not tell
 * otherwise that a log was cut off at its end.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readChainId } from './chain-file.ts';
import { loadCursor } from './cursor.ts';
import { systemErrorCode } from './disk.ts';
import type { ChainLink } from './spool.ts';

/** @returns undefined when the directory has no spool, or one that delivered nothing yet */
export async function readDeliveredLink(dir: string): Promise<(ChainLink & { readonly chainId: string }) | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, 'chain.json'), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const chainId = readChainId(text);
  const { cursor } = await loadCursor(dir, 'metadata');
  if (chainId === undefined || cursor?.link === undefined) return undefined;
  return { chainId, ...cursor.link };
}
