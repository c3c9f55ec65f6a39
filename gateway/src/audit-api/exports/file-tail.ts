/**
 * The rest of a file of which a reader has the beginning: the file is made anew and hashed from its first byte, what is
 * there is not sent again. So the manifest is of the whole file, and a beginning that the file does not have any more is
 * found before a byte of the rest goes out.
 */
import type { Hash } from 'node:crypto';
import { ApiError } from '../api-error.ts';

/** What a reader has of a file. */
export interface FileHead {
  readonly bytes: number;
  /** of these bytes, hex */
  readonly sha256: string;
}

/**
 * @param hash gets every byte of the file
 * @param head left out: nothing is there
 * @throws ApiError `conflict`
 */
export async function* tailOf(
  file: AsyncIterable<Buffer>,
  hash: Hash,
  head: FileHead = { bytes: 0, sha256: '' }
): AsyncGenerator<Buffer> {
  let left = head.bytes;
  for await (const piece of file) {
    const known = piece.subarray(0, left);
    if (known.length > 0) {
      hash.update(known);
      left -= known.length;
      if (left === 0 && hash.copy().digest('hex') !== head.sha256) throw otherBeginning();
    }
    const rest = piece.subarray(known.length);
    if (rest.length === 0) continue;
    hash.update(rest);
    yield rest;
  }
  if (left > 0) throw otherBeginning();
}

function otherBeginning(): ApiError {
  return new ApiError(
    'conflict',
    'The file does not begin any more with what is there: calls came late or were erased meanwhile, or the parameters are others. Begin anew.'
  );
}
