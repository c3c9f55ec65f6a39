/**
 * Identifiers of records: UUIDv7 call ids that never repeat and always grow within a process, and trace and span ids
 * that can be decided before their span exists (the upstream server is told its parent before the CLIENT span starts;
 * a record made after a crash keeps the ids of the span that died). Random bytes come from the system, in blocks.
 */
import { randomFillSync } from 'node:crypto';

const BLOCK_BYTES = 4096;

/** Hex digits from blocks of system randomness. */
function createRandomHex(): (bytes: number) => string {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let digits = '';
  let used = 0;
  return (bytes) => {
    if (used + 2 * bytes > digits.length) {
      digits = randomFillSync(block).toString('hex');
      used = 0;
    }
    used += 2 * bytes;
    return digits.slice(used - 2 * bytes, used);
  };
}

const MAX_COUNTER = 0xfff;

/**
 * RFC 9562 version 7, method 1: 48 bits of milliseconds, a 12-bit counter, 62 random bits. Ids grow even when the clock
 * stands still or goes back.
 */
export function createCallIds(wallMs: () => number): () => string {
  const randomHex = createRandomHex();
  let lastMs = 0;
  let counter = 0;
  return () => {
    const nowMs = wallMs();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = parseInt(randomHex(1), 16);
    } else if (counter === MAX_COUNTER) {
      lastMs += 1;
      counter = 0;
    } else {
      counter += 1;
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const random = randomHex(8);
    const variant = ((parseInt(random.slice(0, 1), 16) & 3) | 8).toString(16);
    return (
      `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-` +
      `${variant}${random.slice(1, 4)}-${random.slice(4)}`
    );
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return text.length === 36 && UUID.test(text);
}

/** Milliseconds since 1970 inside a UUIDv7, 0 for anything else. */
export function millisOfCallId(callId: string): number {
  if (!isUuid(callId) || callId.charAt(14) !== '7') return 0;
  return parseInt(callId.slice(0, 8) + callId.slice(9, 13), 16);
}

/** The IdGenerator of the audit's tracer. */
export class TraceIds {
  readonly #randomHex = createRandomHex();
  #nextTraceId: string | undefined;
  #nextSpanId: string | undefined;

  /** The next span started gets these ids. Start it in the same tick. */
  preset(ids: { readonly traceId?: string; readonly spanId: string }): void {
    this.#nextTraceId = ids.traceId;
    this.#nextSpanId = ids.spanId;
  }

  generateTraceId(): string {
    const preset = this.#nextTraceId;
    this.#nextTraceId = undefined;
    return preset ?? this.#randomHex(16);
  }

  generateSpanId(): string {
    const preset = this.#nextSpanId;
    this.#nextSpanId = undefined;
    return preset ?? this.#randomHex(8);
  }
}
