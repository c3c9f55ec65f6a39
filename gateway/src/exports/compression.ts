/** Compresses a file as it is made, on another thread, with back pressure. An error of the source is an error here. */
import { Readable, pipeline } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { ExportCompression } from './formats.ts';

const PIECE_BYTES = 256 * 1024;

export async function* compressed(
  source: AsyncIterable<Buffer>,
  compression: ExportCompression
): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    yield* source;
    return;
  }
  const compress =
    compression === 'gzip'
      ? createGzip({ level: 1, chunkSize: PIECE_BYTES })
      : createZstdCompress({ chunkSize: PIECE_BYTES, params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const input = Readable.from(source, { objectMode: false, highWaterMark: PIECE_BYTES });
  // errors of the source destroy `compress` with the same error, and reading it below throws
  pipeline(input, compress, () => undefined);
  try {
    yield* compress as AsyncIterable<Buffer>;
  } finally {
    input.destroy();
    compress.destroy();
  }
}
