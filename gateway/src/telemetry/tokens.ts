/**
 * What a result costs an agent's context, in tokens, estimated: one token for every four bytes of the answer as it came,
 * without the base64 of images, audio and blobs (those are no text). The rule is the common rule of thumb for English
 * and code; it knows no tokenizer, so it is good for comparing tools, not for bills. Costs one scan for two short needles.
 */
import type { CapturedBody } from '../mcp/observer.ts';

const BYTES_PER_TOKEN = 4;
/** members that hold base64 in MCP content: image and audio `data`, resource `blob` */
const BASE64_MEMBERS = ['"data":', '"blob":'].map((text) => Buffer.from(text));
const QUOTE = 0x22;
const SPACE = 0x20;
/** shorter strings are taken for text, whatever their member's name */
const MIN_BASE64_BYTES = 256;
/** below this size there is nothing worth looking for */
const SMALL_BODY_BYTES = 1024;

/** Bytes beyond the capture cap count as text. */
export function estimateTokens(body: CapturedBody): number {
  const base64Bytes = body.bytes < SMALL_BODY_BYTES ? 0 : countBase64(body.chunks);
  const tokens = Math.ceil(Math.max(0, body.bytes - base64Bytes) / BYTES_PER_TOKEN);
  return Math.min(tokens, 0xffffffff);
}

function countBase64(chunks: readonly Uint8Array[]): number {
  let bytes = 0;
  let within = false;
  for (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    if (within) {
      const end = buffer.indexOf(QUOTE);
      bytes += end === -1 ? buffer.length : end;
      at = end === -1 ? buffer.length : end + 1;
      within = end === -1;
    }
    const starts = at < buffer.length ? memberStarts(buffer, at) : [];
    for (const start of starts) {
      if (start < at) continue;
      const end = buffer.indexOf(QUOTE, start);
      const length = (end === -1 ? buffer.length : end) - start;
      if (length < MIN_BASE64_BYTES || !isBase64(buffer, start)) continue;
      bytes += length;
      at = start + length;
      within = end === -1;
    }
  }
  return bytes;
}

/** Where the values of base64 members begin, ascending. */
function memberStarts(buffer: Buffer, from: number): number[] {
  const starts: number[] = [];
  for (const member of BASE64_MEMBERS) {
    for (let at = buffer.indexOf(member, from); at !== -1; at = buffer.indexOf(member, at + member.length)) {
      const value = buffer[at + member.length] === SPACE ? at + member.length + 1 : at + member.length;
      if (buffer[value] === QUOTE) starts.push(value + 1);
    }
  }
  return starts.length > 1 ? starts.sort((a, b) => a - b) : starts;
}

/** Looks at the first bytes only: text has a space or punctuation in them. */
function isBase64(buffer: Buffer, start: number): boolean {
  return /^[A-Za-z0-9+/_-]+$/.test(buffer.toString('latin1', start, start + MIN_BASE64_BYTES));
}
