/**
 * Rows of texts in the engine's binary form, as bytes come in: the shortest way for what is not JSON itself. Knows one
 * type, so a query makes texts of all its columns. A text can be bytes of any kind.
 */

/**
 * @param columns how many a row has
 * @throws TypeError when the result ends within a row
 */
export async function* textRows(chunks: AsyncIterable<Buffer>, columns: number): AsyncGenerator<readonly Buffer[]> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  // so that a long text is joined once and not with each chunk of it
  let neededBytes = 1;
  for await (const chunk of chunks) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < neededBytes) continue;
    const bytes = held.length === 1 ? chunk : Buffer.concat(held, heldBytes);
    let start = 0;
    let row = rowAt(bytes, start, columns);
    for (; typeof row !== 'number'; row = rowAt(bytes, start, columns)) {
      start = row.end;
      yield row.texts;
    }
    neededBytes = row;
    heldBytes = bytes.length - start;
    held = heldBytes === 0 ? [] : [bytes.subarray(start)];
  }
  if (heldBytes > 0) throw new TypeError('a result ends within a row');
}

interface TextRow {
  readonly texts: readonly Buffer[];
  readonly end: number;
}

/** @returns how many bytes from `start` are needed at least, when it is not all there yet */
function rowAt(bytes: Buffer, start: number, columns: number): TextRow | number {
  const texts: Buffer[] = [];
  let at = start;
  for (let column = 0; column < columns; column++) {
    let length = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at];
      if (byte === undefined) return at + 1 - start;
      at += 1;
      length += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    if (at + length > bytes.length) return at + length - start;
    texts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return { texts, end: at };
}
