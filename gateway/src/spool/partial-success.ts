/**
 * Reads how many items an OTLP response rejects: ExportTraceServiceResponse and ExportLogsServiceResponse have the same
 * shape (field 1 partial_success: field 1 rejected count, field 2 error message; OTLP 1.x). The message is skipped, it
 * may quote a payload.
 */

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

/** @returns undefined when the varint is cut or too long */
function readVarint(reader: Reader): bigint | undefined {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.at];
    if (byte === undefined) return undefined;
    reader.at += 1;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return undefined;
}

interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** @returns undefined at the end, null when malformed */
function readField(reader: Reader): Field | null | undefined {
  if (reader.at >= reader.bytes.length) return undefined;
  const tag = readVarint(reader);
  if (tag === undefined) return null;
  const number = Number(tag >> 3n);
  const wireType = Number(tag & 7n);
  if (wireType === 0) {
    const value = readVarint(reader);
    return value === undefined ? null : { number, value };
  }
  const length = wireType === 2 ? readVarint(reader) : wireType === 1 ? 8n : wireType === 5 ? 4n : undefined;
  if (length === undefined || length > BigInt(reader.bytes.length - reader.at)) return null;
  const start = reader.at;
  reader.at += Number(length);
  return { number, value: reader.bytes.subarray(start, reader.at) };
}

/** @returns the rejected items, or undefined when the bytes are no OTLP response */
function rejectedInProtobuf(bytes: Uint8Array): bigint | undefined {
  let rejected = 0n;
  const response: Reader = { bytes, at: 0 };
  for (let field = readField(response); field !== undefined; field = readField(response)) {
    if (field === null) return undefined;
    if (field.number !== 1) continue;
    if (typeof field.value === 'bigint') return undefined;
    const partial: Reader = { bytes: field.value, at: 0 };
    for (let inner = readField(partial); inner !== undefined; inner = readField(partial)) {
      if (inner === null) return undefined;
      if (inner.number === 1 && typeof inner.value === 'bigint') rejected = inner.value;
    }
  }
  return rejected;
}

function rejectedInJson(bytes: Uint8Array): bigint | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const partial: unknown = 'partialSuccess' in value ? value.partialSuccess : undefined;
  if (partial === undefined || partial === null) return 0n;
  if (typeof partial !== 'object') return undefined;
  const fields = new Map<string, unknown>(Object.entries(partial));
  const count = fields.get('rejectedSpans') ?? fields.get('rejectedLogRecords') ?? 0;
  if (typeof count !== 'string' && typeof count !== 'number') return undefined;
  return /^\d+$/.test(String(count)) ? BigInt(count) : undefined;
}

/**
 * @param contentType of the response, `''` when it has none
 * @returns how many spans or log records were rejected; undefined when this is not the answer of an OTLP receiver
 */
export function rejectedCount(contentType: string, body: Uint8Array): bigint | undefined {
  if (body.length === 0) return 0n;
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/json') return rejectedInJson(body);
  if (mediaType === 'application/x-protobuf' || mediaType === '') return rejectedInProtobuf(body);
  return undefined;
}
