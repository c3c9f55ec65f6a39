/**
 * Replaces a small file so that a reader sees the old content or the new one, never a part: written beside, synced,
 * renamed. Used for the chain's identity, the cursors and what is set aside; not for records.
 */
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

/** @param lasting also syncs the directory, so that the new name survives a power cut */
export async function replaceFile(
  disk: Disk,
  path: string,
  content: Uint8Array | string,
  lasting = false
): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const beside = `${path}.tmp`;
  const fd = await disk.create(beside);
  try {
    const written = bytes.length === 0 ? 0 : await disk.write(fd, [bytes], 0);
    if (written < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
    await disk.fdatasync(fd);
  } finally {
    await disk.close(fd);
  }
  await disk.rename(beside, path);
  if (lasting) await disk.syncDirectory(dirname(path));
}
