/**
 * Gathers what one completion consists of. The SDK calls its processors in the same tick in which a span ends or an
 * event is emitted, so everything that `make` causes belongs together and goes to the spool in one append: payload
 * events first (keys before what they sealed), then the records. Nothing waits here from one tick to the next.
 */
import type { RecordFrame } from '../spool/spool.ts';

/** Larger groups of events become frames of their own, so that the shipper can keep its requests small. */
const MAX_LOG_FRAME_BYTES = 1024 * 1024;

/** What the frames of one completion have in common. */
export interface Completion {
  /** start of the call, of which the spool derives the age of its backlog */
  readonly startedAtNs: bigint;
  /** its record settles the intent of its call */
  readonly settles: boolean;
}

const NONE: Completion = { startedAtNs: 0n, settles: false };

export class FrameCollector<LogRecord> {
  readonly #serializeLogs: (records: LogRecord[]) => Uint8Array;
  #collecting = false;
  #records: RecordFrame[] = [];
  #payloads: RecordFrame[] = [];
  #logs: LogRecord[] = [];
  #logBytes = 0;
  #completion = NONE;

  constructor(serializeLogs: (records: LogRecord[]) => Uint8Array) {
    this.#serializeLogs = serializeLogs;
  }

  /** @param make ends spans and emits events, synchronously */
  collect(completion: Completion, make: () => void): RecordFrame[] {
    if (this.#collecting) throw new TypeError('collect() does not nest');
    this.#collecting = true;
    this.#completion = completion;
    try {
      make();
      this.#flushLogs();
      return this.#payloads.length === 0 ? this.#records : [...this.#payloads, ...this.#records];
    } finally {
      this.#collecting = false;
      this.#records = [];
      this.#payloads = [];
      this.#logs = [];
      this.#logBytes = 0;
    }
  }

  /** The one that is being collected. */
  get completion(): Completion {
    return this.#completion;
  }

  addRecord(frame: RecordFrame): void {
    this.#mustCollect();
    this.#records.push(frame);
  }

  addLog(record: LogRecord, bodyBytes: number): void {
    this.#mustCollect();
    if (this.#logBytes > 0 && this.#logBytes + bodyBytes > MAX_LOG_FRAME_BYTES) this.#flushLogs();
    this.#logs.push(record);
    this.#logBytes += bodyBytes;
  }

  #flushLogs(): void {
    if (this.#logs.length === 0) return;
    const bytes = this.#serializeLogs(this.#logs);
    this.#payloads.push({ type: 'record', stream: 'payload', bytes, startedAtNs: this.#completion.startedAtNs });
    this.#logs = [];
    this.#logBytes = 0;
  }

  /** A span that ends outside of `collect` would be recorded nowhere: that is a bug, and must not pass silently. */
  #mustCollect(): void {
    if (!this.#collecting) throw new TypeError('a span ended, or an event was emitted, outside of collect()');
  }
}
