/**
 * The last events of a session's streams, so that a client that lost a connection can ask for what it missed
 * (`Last-Event-ID`). Bounded in count and bytes, in memory only. An event id names the stream and the position in it, so
 * a client never gets events of another stream.
 */

export interface ReplayLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

export interface StoredEvent {
  readonly streamNo: number;
  readonly seq: number;
  readonly data: Uint8Array;
}

export interface EventPosition {
  readonly streamNo: number;
  readonly seq: number;
}

export class ReplayBuffer {
  readonly #limits: ReplayLimits;
  #events: StoredEvent[] = [];
  #bytes = 0;

  constructor(limits: ReplayLimits) {
    this.#limits = limits;
  }

  /** Keeps the event, at the cost of the oldest ones. One that is larger than the whole buffer is not kept. */
  add(event: StoredEvent): void {
    if (event.data.length > this.#limits.maxBytes) return;
    this.#events.push(event);
    this.#bytes += event.data.length;
    let surplus = 0;
    while (this.#events.length - surplus > this.#limits.maxEvents || this.#bytes > this.#limits.maxBytes) {
      this.#bytes -= this.#events[surplus]?.data.length ?? 0;
      surplus += 1;
    }
    if (surplus > 0) this.#events = this.#events.slice(surplus);
  }

  after(position: EventPosition): readonly StoredEvent[] {
    return this.#events.filter((event) => event.streamNo === position.streamNo && event.seq > position.seq);
  }
}

export function eventId(position: EventPosition): string {
  return `${position.streamNo}-${position.seq}`;
}

/** @returns undefined for an id that was never given out */
export function parseEventId(id: string): EventPosition | undefined {
  const match = /^(0|[1-9]\d{0,14})-(0|[1-9]\d{0,14})$/.exec(id);
  return match ? { streamNo: Number(match[1]), seq: Number(match[2]) } : undefined;
}
