/**
 * Small in-memory stand-ins for the seams around telemetry: a spool that keeps frames and can fail, a sealer that
 * encrypts with a key of its own, keyed hashes, a clock that tests turn. The real parts are tested with the real ones in
 * record-with-real-parts.test.ts.
 */
import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { GatelensError } from '../../src/errors.ts';
import type { CallEnd, CallStart, Caller } from '../../src/mcp/observer.ts';
import type { LogFields, Logger } from '../../src/logger.ts';
import type {
  CaptureDecision,
  PayloadInput,
  PayloadSealer,
  Pseudonyms,
  SealedPayload,
} from '../../src/protection/seams.ts';
import { GENESIS_HASH, recordHash } from '../../src/record/canonical.ts';
import { envelopeAad } from '../../src/record/payload-events.ts';
import type {
  Chain,
  ChainLink,
  IntentFrame,
  RecordFrame,
  Spool,
  SpoolFrame,
  SpoolStats,
} from '../../src/spool/spool.ts';
import { createAuditTelemetry, type AuditTelemetry, type Mirrors } from '../../src/telemetry/sdk.ts';
import { TelemetryCallObserver, type CallObserverOptions } from '../../src/telemetry/call-observer.ts';
import type { Clock } from '../../src/telemetry/clock.ts';
import { decodeLogs, decodeSpans, type DecodedLog, type DecodedSpan } from './otlp-decoder.ts';

class FakeChain implements Chain {
  readonly id = 'gw-test';
  #head: ChainLink = { seq: 0n, hash: GENESIS_HASH };
  durable: ChainLink = this.#head;
  readonly forms: string[] = [];

  head(): ChainLink {
    return this.#head;
  }

  next(canonicalForm: string): ChainLink {
    this.forms.push(canonicalForm);
    this.#head = { seq: this.#head.seq + 1n, hash: recordHash(this.#head.hash, canonicalForm) };
    return this.#head;
  }

  rollBack(): void {
    this.#head = this.durable;
  }
}

class FakeSpool implements Spool {
  readonly chain = new FakeChain();
  /** one entry an append */
  readonly appends: (readonly SpoolFrame[])[] = [];
  failure: GatelensError | undefined;
  /** holds appends back until `release` */
  #gate: PromiseWithResolvers<void> | undefined;

  append(frames: readonly SpoolFrame[]): Promise<void> {
    if (this.failure !== undefined) {
      this.chain.rollBack();
      return Promise.reject(this.failure);
    }
    this.appends.push(frames.map((frame) => ({ ...frame, bytes: new Uint8Array(frame.bytes) })));
    this.chain.durable = this.chain.head();
    return this.#gate?.promise ?? Promise.resolve();
  }

  hold(): () => void {
    this.#gate = Promise.withResolvers();
    return () => {
      this.#gate?.resolve();
      this.#gate = undefined;
    };
  }

  fail(code: 'spool_full' | 'audit_unavailable' = 'audit_unavailable'): void {
    this.failure = new GatelensError(code, 'the disk is full');
  }

  stats(): SpoolStats {
    return {
      recorded: this.records().length,
      shipped: 3,
      refused: 0,
      setAsideBatches: 1,
      backlogBytes: 4096,
      oldestUnshippedNs: 1_700_000_000_000_000_001n,
      fdatasyncs: 1,
      openIntents: 0,
      damagedRanges: 0,
      shipRetries: 0,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  frames(): SpoolFrame[] {
    return this.appends.flat();
  }

  intents(): IntentFrame[] {
    return this.frames().filter((frame) => frame.type === 'intent');
  }

  records(): RecordFrame[] {
    return this.frames().filter((frame) => frame.type === 'record' && frame.stream === 'metadata') as RecordFrame[];
  }

  spans(): DecodedSpan[] {
    return this.records().flatMap((frame) => decodeSpans(frame.bytes));
  }

  logs(): DecodedLog[] {
    return this.frames()
      .filter((frame) => frame.type === 'record' && frame.stream === 'payload')
      .flatMap((frame) => decodeLogs(frame.bytes));
  }

  /** Everything of the metadata side: what must never hold payload. */
  metadataBytes(): Buffer {
    return Buffer.concat([...this.records(), ...this.intents()].map((frame) => frame.bytes));
  }
}

export const fakePseudonyms: Pseudonyms = {
  hash: (purpose, value) => createHmac('sha256', `key of ${purpose}`).update(value).digest('hex').slice(0, 32),
};

/** Really encrypts, so that a plaintext that appears in a frame is a leak. */
class FakeSealer implements PayloadSealer {
  readonly inputs: PayloadInput[] = [];
  readonly #keys = new Map<string, { readonly id: string; readonly key: Buffer }>();
  failing: 'sync' | 'async' | undefined;
  /** the first use of a key takes a turn of the loop, as wrapping does */
  slow = false;

  seal(input: PayloadInput): SealedPayload | Promise<SealedPayload> {
    this.inputs.push(input);
    if (this.failing === 'sync') throw new GatelensError('seal_failed', 'no key');
    if (this.failing === 'async') return Promise.reject(new GatelensError('seal_failed', 'no key'));
    const known = this.#keys.get(input.subject);
    if (known !== undefined && !this.slow) return this.#sealWith(input, known, false);
    if (known !== undefined) return Promise.resolve().then(() => this.#sealWith(input, known, false));
    const made = { id: `key-${this.#keys.size + 1}`, key: randomBytes(32) };
    this.#keys.set(input.subject, made);
    return new Promise((resolve) => setImmediate(() => resolve(this.#sealWith(input, made, true))));
  }

  /** Makes the key of a subject known, so that sealing is synchronous from the start. */
  warm(subject: string): void {
    this.#keys.set(subject, { id: `key-${this.#keys.size + 1}`, key: randomBytes(32) });
  }

  #sealWith(input: PayloadInput, key: { id: string; key: Buffer }, isNew: boolean): SealedPayload {
    const plain = Buffer.concat([Buffer.from(`${JSON.stringify(input.headers)}\n`), ...input.chunks]);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key.key, nonce);
    cipher.setAAD(Buffer.from(envelopeAad('e', input.callId, input.direction, key.id)));
    const ct = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    const bytes = input.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    return {
      envelope: { v: 1, alg: 'A256GCM', keyId: key.id, nonce, comp: 'none', ct },
      sha256: createHash('sha256').update(ct).digest('hex'),
      digest: fakePseudonyms.hash('plaintext', plain),
      truncated: bytes < input.bytes,
      ...(isNew
        ? {
            newKey: {
              keyId: key.id,
              subject: input.subject,
              gateway: 'gateway-1',
              epoch: '2026-11',
              kekId: 'kek-1',
              wrapped: randomBytes(80),
            },
          }
        : {}),
    };
  }
}

export class FakeClock implements Clock {
  wall = Date.UTC(2026, 10, 24, 12, 0, 0);
  monotonic = 1000;

  wallMs(): number {
    return Math.floor(this.wall);
  }

  monotonicMs(): number {
    return this.monotonic;
  }

  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

export class LinesLogger implements Logger {
  readonly lines: { level: string; event: string; fields: LogFields | undefined }[] = [];
  info(event: string, fields?: LogFields): void {
    this.lines.push({ level: 'info', event, fields });
  }
  warn(event: string, fields?: LogFields): void {
    this.lines.push({ level: 'warn', event, fields });
  }
  error(event: string, fields?: LogFields): void {
    this.lines.push({ level: 'error', event, fields });
  }
}

export const caller: Caller = {
  userKey: 'a'.repeat(32),
  keyName: 'ci',
  teams: ['blue', 'gr\u00fcn'],
  authMethod: 'api_key',
};

export function toolCall(more: Partial<CallStart> = {}): CallStart {
  return {
    kind: 'request',
    server: 'everything',
    serverKnown: true,
    caller,
    method: 'tools/call',
    target: { type: 'tool', name: 'echo' },
    rpcId: '7',
    session: { id: 'session-1', kind: 'mcp' },
    client: { name: 'test-client', version: '1.2.3' },
    clientAddress: '127.0.0.1',
    protocolVersion: '2025-11-25',
    upstreamTransport: 'http',
    upstreamAddress: { host: 'up.example.com', port: 8443 },
    requestHeaders: [['content-type', 'application/json']],
    requestBody: Buffer.from('{"jsonrpc":"2.0","id":7,"method":"tools/call"}'),
    ...more,
  };
}

export interface Rig {
  readonly spool: FakeSpool;
  readonly sealer: FakeSealer;
  readonly clock: FakeClock;
  readonly logger: LinesLogger;
  readonly telemetry: AuditTelemetry;
  readonly observer: TelemetryCallObserver;
}

export function createRig(
  more: Partial<Omit<CallObserverOptions, 'telemetry'>> & { capture?: CaptureDecision; mirrors?: Mirrors } = {}
): Rig {
  const spool = new FakeSpool();
  const sealer = new FakeSealer();
  sealer.warm(caller.userKey);
  sealer.warm('');
  const clock = new FakeClock();
  const logger = new LinesLogger();
  const { capture, mirrors, ...options } = more;
  const telemetry = createAuditTelemetry({
    spool,
    service: { version: '0.1.0' },
    ...(mirrors === undefined ? {} : { mirrors }),
  });
  const observer = new TelemetryCallObserver({
    telemetry,
    pseudonyms: fakePseudonyms,
    capturePolicy: {
      decide: () => capture ?? { mode: 'full', maxBytes: 1024 },
      decideUnknownTool: () => capture ?? { mode: 'full', maxBytes: 1024 },
    },
    sealer,
    audit: { durability: 'before-reply', onFailure: 'refuse' },
    logger,
    clock,
    ...options,
  });
  return { spool, sealer, clock, logger, telemetry, observer };
}

export const success: CallEnd = {
  outcome: 'success',
  httpStatus: 200,
  response: { chunks: [Buffer.from('{"jsonrpc":"2.0","id":7,"result":{}}')], bytes: 36, format: 'json' },
  responseHeaders: [['content-type', 'application/json']],
  upstreamMs: 10,
  ttfbMs: 4.5,
};

/** One whole call. */
export async function record(rig: Rig, start: Partial<CallStart> = {}, end: Partial<CallEnd> = {}): Promise<string> {
  const call = rig.observer.begin(toolCall(start));
  await call.intent();
  if (start.kind !== 'attempt') call.upstreamStarted();
  rig.clock.pass(12.5);
  await call.end({ ...success, ...end });
  return call.callId;
}
