/**
 * Incremental JSON scanner for JSON-RPC bodies: reads bytes as they pass and fills `ScannedMessage`s, without building
 * values and however the bytes are cut into chunks. On the hot path of every request and answer; one code path for all
 * sizes. It keeps no payload: only the members of json-fields.ts. It never throws for input; malformed is a result.
 * Longer than usual because the state machine is one loop: splitting it costs a call per byte.
 */
import { findConfusable, findRule, mayBeConfusable, PLACE, placeOfItems, rulesAt } from './json-fields.ts';
import type { KeyRule, Place } from './json-fields.ts';
import { MessageBuilder } from './message-builder.ts';
import type { ScannedBody, ScannedMessage } from '../message.ts';

export interface ScannerOptions {
  /** Refuse control characters and bad escapes in strings, NaN and Infinity. Default true; false for upstreams' answers. */
  readonly strict?: boolean;
  /** Containers in containers. Default 512. */
  readonly maxDepth?: number;
  /** Messages in a batch. Default 100. */
  readonly maxMessages?: number;
  /** A member longer than this is not learnt when it comes in pieces. Default: no limit (requests are limited as a whole). */
  readonly maxTokenBytes?: number;
}

export type ScanResult =
  | { readonly ok: true; readonly body: ScannedBody }
  | { readonly ok: false; readonly reason: 'malformed' | 'too_deep' | 'too_many' | 'empty' };

const STATE = {
  value: 0,
  firstValue: 1,
  key: 2,
  firstKey: 3,
  colon: 4,
  after: 5,
  string: 6,
  escape: 7,
  unicode: 8,
  number: 9,
  literal: 10,
  done: 11,
  failed: 12,
} as const;
type State = (typeof STATE)[keyof typeof STATE];

const ARRAY = 0x80;
const NO_BYTES = Buffer.alloc(0);
const LITERALS: Readonly<Record<number, Buffer>> = {
  0x74: Buffer.from('true'),
  0x66: Buffer.from('false'),
  0x6e: Buffer.from('null'),
};
/** No JSON, but what Python writes and reads: an answer with them is an answer to many a client. */
const LENIENT_LITERALS: Readonly<Record<number, Buffer>> = {
  ...LITERALS,
  0x4e: Buffer.from('NaN'),
  0x49: Buffer.from('Infinity'),
};
/** After so many bytes of a string a native search is cheaper than the loop (measured: 40 to 60). */
const LOOP_BYTES = 48;

/** Number grammar: the state after a byte, 0 = not part of the number. States 2, 3, 5 and 8 may end it. */
function nextNumberState(state: number, c: number): number {
  if (c >= 0x30 && c <= 0x39) {
    if (state === 1) return c === 0x30 ? 2 : 3;
    if (state === 3 || state === 5 || state === 8) return state;
    if (state === 4) return 5;
    return state === 6 || state === 7 ? 8 : 0;
  }
  if (c === 0x2e) return state === 2 || state === 3 ? 4 : 0;
  if (c === 0x65 || c === 0x45) return state === 2 || state === 3 || state === 5 ? 6 : 0;
  if (c === 0x2b || c === 0x2d) return state === 6 ? 7 : 0;
  return 0;
}

function isHex(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}

function isSimpleEscape(c: number): boolean {
  return c === 0x22 || c === 0x5c || c === 0x2f || c === 0x62 || c === 0x66 || c === 0x6e || c === 0x72 || c === 0x74;
}

export class JsonScanner {
  readonly #strict: boolean;
  readonly #maxDepth: number;
  readonly #maxMessages: number;
  readonly #maxTokenBytes: number;

  #state: State = STATE.value;
  #failure: 'malformed' | 'too_deep' | 'too_many' = 'malformed';
  /** bytes fed before the current chunk */
  #base = 0;
  #stack: number[] = [];
  #batch = false;
  #messages: ScannedMessage[] = [];
  #builder: MessageBuilder | undefined;
  /** rule of the member whose value comes next */
  #rule: KeyRule | undefined;

  #isKey = false;
  #capture = false;
  #escaped = false;
  #hexLeft = 0;
  /** absolute offset of the token that is being read */
  #tokenStart = 0;
  /** pieces of a captured token from earlier chunks */
  #pieces: Buffer[] = [];
  #numberState = 0;
  #literal: Buffer = NO_BYTES;
  #literalAt = 0;

  constructor(options: ScannerOptions = {}) {
    this.#strict = options.strict ?? true;
    this.#maxDepth = options.maxDepth ?? 512;
    this.#maxMessages = options.maxMessages ?? 100;
    this.#maxTokenBytes = options.maxTokenBytes ?? Infinity;
  }

  /** Makes it ready for another body. */
  reset(): void {
    this.#state = STATE.value;
    this.#failure = 'malformed';
    this.#base = 0;
    this.#stack = [];
    this.#batch = false;
    this.#messages = [];
    this.#builder = undefined;
    this.#rule = undefined;
    this.#isKey = false;
    this.#capture = false;
    this.#pieces = [];
  }

  get failed(): boolean {
    return this.#state === STATE.failed;
  }

  feed(chunk: Buffer): void {
    let i = 0;
    const n = chunk.length;
    const strict = this.#strict;
    let backslashAt = -2;
    let state: State = this.#state;

    while (i < n) {
      const c = chunk[i] ?? 0;
      switch (state) {
        case STATE.string: {
          let at = i;
          const loopEnd = strict ? n : Math.min(n, i + LOOP_BYTES);
          let b = c;
          for (;;) {
            if (b === 0x22 || b === 0x5c || (strict && b < 0x20)) break;
            if (++at >= loopEnd) break;
            b = chunk[at] ?? 0;
          }
          if (at >= loopEnd && at < n) {
            const quote = chunk.indexOf(0x22, at);
            if (backslashAt !== -1 && backslashAt < at) backslashAt = chunk.indexOf(0x5c, at);
            at = backslashAt !== -1 && (quote === -1 || backslashAt < quote) ? backslashAt : quote === -1 ? n : quote;
            b = chunk[at] ?? 0;
          }
          if (at >= n) {
            i = n;
            break;
          }
          if (b === 0x5c) {
            this.#escaped = true;
            state = STATE.escape;
            i = at + 1;
            break;
          }
          if (b !== 0x22) {
            state = STATE.failed;
            i = n;
            break;
          }
          state = this.#stringEnds(chunk, at);
          i = at + 1;
          break;
        }
        case STATE.escape:
          if (c === 0x75) {
            this.#hexLeft = 4;
            state = STATE.unicode;
          } else {
            state = strict && !isSimpleEscape(c) ? STATE.failed : STATE.string;
          }
          i++;
          break;
        case STATE.unicode:
          if (isHex(c)) {
            if (--this.#hexLeft === 0) state = STATE.string;
            i++;
          } else if (strict) {
            state = STATE.failed;
          } else {
            state = STATE.string;
          }
          break;
        case STATE.number: {
          const next = nextNumberState(this.#numberState, c);
          if (next !== 0) {
            this.#numberState = next;
            i++;
          } else if (c === 0x49 && !strict && this.#numberState === 1) {
            // -Infinity: the sign was read as a number's
            this.#literal = LENIENT_LITERALS[c] ?? NO_BYTES;
            this.#literalAt = 1;
            state = STATE.literal;
            i++;
          } else {
            // the byte belongs to what follows, so `i` stays
            state = this.#numberEnds(chunk, i);
          }
          break;
        }
        case STATE.literal:
          if (c === this.#literal[this.#literalAt]) {
            i++;
            if (++this.#literalAt === this.#literal.length) state = this.#literalEnds();
          } else {
            state = STATE.failed;
          }
          break;
        case STATE.failed:
          i = n;
          break;
        default:
          if (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) {
            i++;
          } else {
            state = this.#structure(state, c, chunk, i);
            i++;
          }
      }
    }

    if (this.#capture && n > 0 && state >= STATE.string && state <= STATE.number) this.#keepPiece(chunk);
    this.#base += n;
    this.#state = state;
  }

  /** A captured token goes on in the next chunk. */
  #keepPiece(chunk: Buffer): void {
    this.#pieces.push(chunk.subarray(Math.max(0, this.#tokenStart - this.#base)));
    if (this.#base + chunk.length - this.#tokenStart <= this.#maxTokenBytes) return;
    this.#capture = false;
    this.#pieces = [];
  }

  /** What was read. The scanner must be reset before it is fed again. */
  end(): ScanResult {
    if (this.#state === STATE.number) this.#state = this.#numberEnds(NO_BYTES, 0);
    if (this.#state === STATE.failed) return { ok: false, reason: this.#failure };
    if (this.#state === STATE.value && this.#stack.length === 0) return { ok: false, reason: 'empty' };
    if (this.#state !== STATE.done) return { ok: false, reason: 'malformed' };
    return { ok: true, body: { batch: this.#batch, messages: this.#messages } };
  }

  /** One structural byte or the first byte of a value. */
  #structure(state: State, c: number, chunk: Buffer, i: number): State {
    switch (state) {
      case STATE.firstKey:
        if (c === 0x7d) return this.#close(i, true);
        if (c !== 0x22) return STATE.failed;
        return this.#startKey(i);
      case STATE.key:
        return c === 0x22 ? this.#startKey(i) : STATE.failed;
      case STATE.colon:
        return c === 0x3a ? STATE.value : STATE.failed;
      case STATE.after: {
        const top = this.#stack.at(-1) ?? 0;
        if (c === 0x2c) return (top & ARRAY) === 0 ? STATE.key : STATE.value;
        if (c === ((top & ARRAY) === 0 ? 0x7d : 0x5d)) return this.#close(i, false);
        return STATE.failed;
      }
      case STATE.firstValue:
        if (c === 0x5d) return this.#close(i, true);
        return this.#startValue(c, i);
      case STATE.value:
        return this.#startValue(c, i);
      default:
        return STATE.failed;
    }
  }

  #startKey(i: number): State {
    this.#isKey = true;
    this.#capture = rulesAt(this.#place()).length > 0;
    this.#escaped = false;
    this.#tokenStart = this.#base + i + 1;
    return STATE.string;
  }

  #startValue(c: number, i: number): State {
    const depth = this.#stack.length;
    const rule = this.#rule;
    if (c === 0x7b || c === 0x5b) {
      if (depth >= this.#maxDepth) {
        this.#failure = 'too_deep';
        return STATE.failed;
      }
      return c === 0x7b ? this.#open(depth, rule, i) : this.#openArray(depth, rule, i);
    }
    const atMessage = depth === 0 || (depth === 1 && this.#stack[0] === (PLACE.batch | ARRAY));
    if (atMessage && !this.#pushMessage(MessageBuilder.notAnObject(this.#base + i))) return STATE.failed;
    this.#capture = rule !== undefined;
    if (c === 0x22) {
      this.#isKey = false;
      this.#escaped = false;
      this.#tokenStart = this.#base + i + 1;
      return STATE.string;
    }
    this.#tokenStart = this.#base + i;
    if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      this.#numberState = c === 0x2d ? 1 : c === 0x30 ? 2 : 3;
      return STATE.number;
    }
    const literal = (this.#strict ? LITERALS : LENIENT_LITERALS)[c];
    if (literal === undefined) return STATE.failed;
    this.#literal = literal;
    this.#literalAt = 1;
    return STATE.literal;
  }

  #open(depth: number, rule: KeyRule | undefined, i: number): State {
    const top = this.#stack.at(-1) ?? 0;
    let place: Place;
    if (depth === 0) place = PLACE.message;
    else if ((top & ARRAY) !== 0) place = placeOfItems((top & ~ARRAY) as Place);
    else place = rule === undefined ? PLACE.other : objectPlace(rule);
    if (place === PLACE.message) {
      if (this.#messages.length >= this.#maxMessages) {
        this.#failure = 'too_many';
        return STATE.failed;
      }
      this.#builder = new MessageBuilder(this.#base + i);
    } else if (place !== PLACE.other) {
      this.#builder?.open(place, this.#base + i);
    }
    this.#rule = undefined;
    this.#stack.push(place);
    return STATE.firstKey;
  }

  #openArray(depth: number, rule: KeyRule | undefined, i: number): State {
    let place: Place = PLACE.other;
    if (depth === 0) {
      place = PLACE.batch;
      this.#batch = true;
    } else if (depth === 1 && this.#stack[0] === (PLACE.batch | ARRAY)) {
      if (!this.#pushMessage(MessageBuilder.notAnObject(this.#base + i))) return STATE.failed;
    } else if (rule?.field === 'list') {
      place = rule.inside;
    }
    this.#rule = undefined;
    this.#stack.push(place | ARRAY);
    return STATE.firstValue;
  }

  #close(i: number, empty: boolean): State {
    const place = ((this.#stack.pop() ?? 0) & ~ARRAY) as Place;
    if (place === PLACE.message) {
      if (this.#builder !== undefined) this.#messages.push(this.#builder.finish(this.#base + i + 1));
      this.#builder = undefined;
    } else if (place !== PLACE.other && place !== PLACE.batch) {
      this.#builder?.close(place, this.#base + i + 1, empty);
    }
    return this.#stack.length === 0 ? STATE.done : STATE.after;
  }

  #pushMessage(message: ScannedMessage): boolean {
    if (this.#messages.length >= this.#maxMessages) {
      this.#failure = 'too_many';
      return false;
    }
    this.#messages.push(message);
    return true;
  }

  #afterValue(): State {
    this.#rule = undefined;
    this.#capture = false;
    return this.#stack.length === 0 ? STATE.done : STATE.after;
  }

  #stringEnds(chunk: Buffer, at: number): State {
    if (!this.#capture) {
      if (this.#isKey) {
        this.#isKey = false;
        return STATE.colon;
      }
      return this.#afterValue();
    }
    let bytes = chunk;
    let start = this.#tokenStart - this.#base;
    let end = at;
    if (this.#pieces.length > 0) {
      bytes = Buffer.concat([...this.#pieces, chunk.subarray(0, at)]);
      this.#pieces = [];
      start = 0;
      end = bytes.length;
    }
    if (this.#isKey) {
      this.#keyEnds(bytes, start, end);
      this.#isKey = false;
      this.#capture = false;
      return STATE.colon;
    }
    const raw = bytes.toString('utf8', start, end);
    const rule = this.#rule;
    const range = { start: this.#tokenStart - 1, end: this.#base + at + 1 };
    if (rule !== undefined) this.#builder?.string(rule, raw, this.#escaped, range, this.#place());
    return this.#afterValue();
  }

  #keyEnds(bytes: Buffer, start: number, end: number): void {
    const place = this.#place();
    const rules = rulesAt(place);
    let rule: KeyRule | undefined;
    if (!this.#escaped) {
      rule = findRule(rules, bytes, start, end);
    } else {
      const key = decodeKey(bytes.toString('utf8', start, end));
      if (key !== undefined) rule = rules.find((one) => one.key.toString('latin1') === key);
    }
    if (rule !== undefined) {
      this.#builder?.key(rule, place);
    } else if (this.#strict && place <= PLACE.ref && (this.#escaped || mayBeConfusable(rules, bytes, start, end))) {
      const text = bytes.toString('utf8', start, end);
      const key = this.#escaped ? decodeKey(text) : text;
      const confusable = key === undefined ? undefined : findConfusable(rules, key);
      if (confusable !== undefined) this.#builder?.confusable(confusable);
    }
    this.#rule = rule;
  }

  #numberEnds(chunk: Buffer, at: number): State {
    const state = this.#numberState;
    if (state !== 2 && state !== 3 && state !== 5 && state !== 8) return STATE.failed;
    if (this.#capture) {
      let raw: string;
      if (this.#pieces.length > 0) {
        raw = Buffer.concat([...this.#pieces, chunk.subarray(0, at)]).toString('latin1');
        this.#pieces = [];
      } else {
        raw = chunk.toString('latin1', this.#tokenStart - this.#base, at);
      }
      const range = { start: this.#tokenStart, end: this.#base + at };
      if (this.#rule !== undefined) this.#builder?.number(this.#rule, raw, range);
    }
    return this.#afterValue();
  }

  #literalEnds(): State {
    if (this.#capture) {
      const text = this.#literal.toString('latin1');
      const range = { start: this.#tokenStart, end: this.#tokenStart + text.length };
      if (this.#rule !== undefined) this.#builder?.literal(this.#rule, text, range);
    }
    return this.#afterValue();
  }

  #place(): Place {
    return ((this.#stack.at(-1) ?? 0) & ~ARRAY) as Place;
  }
}

/** Lists are arrays: an object in their place is nothing we read. */
function objectPlace(rule: KeyRule): Place {
  return rule.field === 'list' ? PLACE.other : rule.inside;
}

function decodeKey(raw: string): string | undefined {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return undefined;
  }
}
