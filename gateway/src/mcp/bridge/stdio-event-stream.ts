/**
 * One logical event stream of a session, towards the client: the standalone one (GET) or that of a POST. It outlives the
 * connection that carries it: events get ids, stay in the replay buffer, and go to the next connection that asks for
 * them. Keeps the order, waits until each event is recorded, and holds the child back while a client does not read.
 */
import type { SseAnswer } from '../exchange.ts';
import { eventId, type ReplayBuffer } from './stdio-replay.ts';

export interface OutgoingEvent {
  /** one JSON text without raw line breaks */
  readonly data: Uint8Array;
  /** must be on disk before the client sees the event */
  readonly settled: Promise<unknown>;
  /** what to send when it could not be recorded; omitted: nothing */
  readonly instead?: () => Uint8Array | undefined;
}

/** Counts bytes that wait for clients. */
export interface Flow {
  add(bytes: number): void;
  remove(bytes: number): void;
}

/** Tells when the child has to wait. */
export class FlowGauge implements Flow {
  readonly #maxBytes: number;
  readonly #onFull: () => void;
  readonly #onFree: () => void;
  #bytes = 0;
  #full = false;

  constructor(maxBytes: number, onFull: () => void, onFree: () => void) {
    this.#maxBytes = maxBytes;
    this.#onFull = onFull;
    this.#onFree = onFree;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#full || this.#bytes <= this.#maxBytes) return;
    this.#full = true;
    this.#onFull();
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.#full || this.#bytes > this.#maxBytes / 2) return;
    this.#full = false;
    this.#onFree();
  }
}

/** A connection that can carry the stream. */
export interface Carrier {
  readonly answer: SseAnswer;
  /** cuts the connection of a client that does not read */
  destroy(): void;
}

export interface EventStreamOptions {
  readonly streamNo: number;
  /** omitted: the stream cannot be resumed, and its events have no ids */
  readonly replay?: ReplayBuffer;
  readonly gauge: Flow;
  readonly stallTimeoutMs: number;
  readonly keepAliveMs: number;
  /** how long the stream waits for a client that lost its connection */
  readonly graceMs: number;
  /** The client did not come back in time. Called only for a stream that has not ended. */
  readonly onAbandoned?: () => void;
  /** A client asked for events that had fallen out of the replay buffer. */
  onLost(events: number): void;
}

export class EventStream {
  readonly streamNo: number;
  readonly #options: EventStreamOptions;
  /** carries events now */
  #carrier: Carrier | undefined;
  /** was attached, and first gets what it missed */
  #next: Carrier | undefined;
  #release: () => void = () => undefined;
  #keepAlive: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #chain: Promise<void> = Promise.resolve();
  #seq = 0;
  #sentSeq = 0;
  #ended = false;

  constructor(options: EventStreamOptions) {
    this.streamNo = options.streamNo;
    this.#options = options;
  }

  get attached(): boolean {
    return this.#carrier !== undefined || this.#next !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** A client has seen an event id of this stream, so it can come back for the rest. */
  get resumable(): boolean {
    return this.#options.replay !== undefined && this.#sentSeq > 0;
  }

  push(event: OutgoingEvent): void {
    if (this.#ended) return;
    const { gauge } = this.#options;
    gauge.add(event.data.length);
    this.#enqueue(async () => {
      try {
        const data = await recorded(event);
        if (data !== undefined) await this.#deliver(data);
      } finally {
        gauge.remove(event.data.length);
      }
    });
  }

  /** An event without data that only gives the client an id to come back with. */
  prime(): void {
    this.push({ data: NO_DATA, settled: Promise.resolve() });
  }

  /**
   * Carries on over this connection, with what the client has not seen: everything after `afterSeq`, or after the last
   * event that was sent. Takes the place of an earlier connection.
   * @returns when the stream needs this connection no more: ended, lost or replaced
   */
  attach(carrier: Carrier, afterSeq?: number): Promise<void> {
    this.#drop()?.destroy();
    clearTimeout(this.#grace);
    this.#next = carrier;
    const released = new Promise<void>((resolve) => (this.#release = resolve));
    this.#keepAlive = setInterval(() => carrier.answer.keepAlive(), this.#options.keepAliveMs);
    this.#enqueue(async () => {
      const from = afterSeq ?? this.#sentSeq;
      const missed = this.#after(from);
      if (missed.length < this.#seq - from) this.#options.onLost(this.#seq - from - missed.length);
      for (const event of missed) {
        if (this.#next !== carrier) return;
        await this.#send(carrier, event.data, event.seq);
      }
      if (this.#next !== carrier) return;
      this.#carrier = carrier;
      this.#next = undefined;
    });
    if (this.#ended) void this.#finish();
    return released;
  }

  /** The connection is gone. */
  detach(carrier: Carrier): void {
    if (this.#carrier !== carrier && this.#next !== carrier) return;
    this.#drop();
    const { onAbandoned, graceMs } = this.#options;
    if (onAbandoned !== undefined && !this.#ended) this.#grace = setTimeout(onAbandoned, graceMs);
  }

  /** Nothing comes after what was pushed. Resolves when the connection, if there is one, was ended. */
  end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#grace);
    return this.#finish();
  }

  /** Whether this position can exist: ids of the future are no ids. */
  knows(seq: number): boolean {
    return seq <= this.#seq;
  }

  /** Whether a client that has seen `seq` has anything to come back for. */
  hasMoreAfter(seq: number): boolean {
    return !this.#ended || this.#after(seq).length > 0;
  }

  #finish(): Promise<void> {
    this.#enqueue(async () => {
      const carrier = this.#carrier ?? this.#next;
      await carrier?.answer.end();
      this.#drop();
    });
    return this.#chain;
  }

  async #deliver(data: Uint8Array): Promise<void> {
    this.#seq += 1;
    const seq = this.#seq;
    this.#options.replay?.add({ streamNo: this.streamNo, seq, data });
    if (this.#carrier !== undefined) await this.#send(this.#carrier, data, seq);
  }

  async #send(carrier: Carrier, data: Uint8Array, seq: number): Promise<void> {
    const stalled = setTimeout(() => carrier.destroy(), this.#options.stallTimeoutMs);
    try {
      const id = this.#options.replay === undefined ? {} : { id: eventId({ streamNo: this.streamNo, seq }) };
      const sent = await carrier.answer.send({ data, ...id });
      if (sent) this.#sentSeq = Math.max(this.#sentSeq, seq);
    } finally {
      clearTimeout(stalled);
    }
  }

  #after(seq: number): ReturnType<ReplayBuffer['after']> {
    return this.#options.replay?.after({ streamNo: this.streamNo, seq }) ?? [];
  }

  #drop(): Carrier | undefined {
    const carrier = this.#carrier ?? this.#next;
    this.#carrier = undefined;
    this.#next = undefined;
    clearInterval(this.#keepAlive);
    this.#release();
    return carrier;
  }

  /** A step that fails costs the connection, not the stream: the client comes back and gets what it missed. */
  #enqueue(step: () => Promise<void>): void {
    this.#chain = this.#chain.then(step).catch(() => this.#drop()?.destroy());
  }
}

const NO_DATA = new Uint8Array();

async function recorded(event: OutgoingEvent): Promise<Uint8Array | undefined> {
  try {
    await event.settled;
    return event.data;
  } catch {
    return event.instead?.();
  }
}
