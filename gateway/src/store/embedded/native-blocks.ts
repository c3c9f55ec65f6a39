/**
 * Native blocks for clients that name a protocol revision (`client_protocol_version`: clickhouse-go, so the collector's
 * exporter). The engine writes revision 0; from 51903 on a block begins with its info, from 54454 on each column says
 * how it is serialised. Takes the types that such a client asks for before an insert (texts and plain integers) and
 * refuses others by name instead of sending what would be misread. See docs/adr/0004.
 */
import { EngineException } from './engine-exception.ts';

const WITH_BLOCK_INFO = 51_903;
const WITH_SERIALIZATION_KIND = 54_454;
/** field 1: no overflow row; field 2: bucket -1; end */
const BLOCK_INFO = Buffer.from([0x01, 0x00, 0x02, 0xff, 0xff, 0xff, 0xff, 0x00]);
const DEFAULT_SERIALIZATION = Buffer.from([0x00]);

const FIXED_WIDTHS = new Map([
  ['UInt8', 1],
  ['UInt16', 2],
  ['UInt32', 4],
  ['UInt64', 8],
  ['Int8', 1],
  ['Int16', 2],
  ['Int32', 4],
  ['Int64', 8],
]);

/**
 * @param bytes whole blocks of revision 0
 * @throws EngineException NOT_IMPLEMENTED for a type that is not taken
 */
export function nativeForRevision(bytes: Buffer, revision: number): Buffer {
  if (revision < WITH_BLOCK_INFO) return bytes;
  const source = new Source(bytes);
  const parts: Buffer[] = [];
  while (!source.atEnd) {
    const head = source.offset;
    const columns = source.varint();
    const rows = source.varint();
    parts.push(BLOCK_INFO, bytes.subarray(head, source.offset));
    for (let column = 0; column < columns; column += 1) {
      const start = source.offset;
      source.skipText();
      const type = source.text();
      parts.push(bytes.subarray(start, source.offset));
      if (revision >= WITH_SERIALIZATION_KIND) parts.push(DEFAULT_SERIALIZATION);
      const values = source.offset;
      source.skipValues(type, rows);
      parts.push(bytes.subarray(values, source.offset));
    }
  }
  return Buffer.concat(parts);
}

class Source {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#offset];
      if (byte === undefined) throw brokenOff();
      this.#offset += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const length = this.varint();
    const start = this.#offset;
    this.#skip(length);
    return this.#bytes.toString('utf8', start, this.#offset);
  }

  skipText(): void {
    this.#skip(this.varint());
  }

  skipValues(type: string, rows: number): void {
    const width = FIXED_WIDTHS.get(type);
    if (width !== undefined) this.#skip(width * rows);
    else if (type === 'String') {
      for (let row = 0; row < rows; row += 1) this.skipText();
    } else {
      throw new EngineException(
        48,
        'NOT_IMPLEMENTED',
        `The embedded store cannot send ${type} as Native of the client's revision. Ask for another format.`
      );
    }
  }

  #skip(bytes: number): void {
    this.#offset += bytes;
    if (this.#offset > this.#bytes.length) throw brokenOff();
  }
}

function brokenOff(): EngineException {
  return new EngineException(49, 'LOGICAL_ERROR', 'A block of the result breaks off.');
}
