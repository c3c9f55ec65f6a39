/**
 * The event streams of one session: the standalone one that a client opens with GET, and one for each POST that is
 * answered as a stream. Answers GET: opens the standalone stream or carries on where `Last-Event-ID` says.
 */
import type { Exchange } from './exchange.ts';
import { EventStream, type Carrier, type FlowGauge } from './stdio-event-stream.ts';
import type { StdioLimits } from './stdio-limits.ts';
import { refuse, refuseWith } from './stdio-refusal.ts';
import { parseEventId, ReplayBuffer } from './stdio-replay.ts';

const STANDALONE = 0;

export class SessionStreams {
  readonly standalone: EventStream;
  readonly #limits: StdioLimits;
  readonly #gauge: FlowGauge;
  readonly #onLost: (events: number) => void;
  readonly #replay: ReplayBuffer;
  readonly #streams = new Map<number, EventStream>();
  #nextNo = STANDALONE;

  /** @param onLost counts events that fell out of the replay buffer before the client got them */
  constructor(limits: StdioLimits, gauge: FlowGauge, onLost: (events: number) => void) {
    this.#limits = limits;
    this.#onLost = onLost;
    this.#gauge = gauge;
    this.#replay = new ReplayBuffer({ maxEvents: limits.replayEvents, maxBytes: limits.replayBytes });
    this.standalone = this.#open();
  }

  get anyAttached(): boolean {
    return [...this.#streams.values()].some((stream) => stream.attached);
  }

  openForPost(onAbandoned: () => void): EventStream {
    for (const [streamNo, stream] of this.#streams) {
      if (stream.ended && !stream.attached && !stream.hasMoreAfter(0)) this.#streams.delete(streamNo);
    }
    return this.#open(onAbandoned);
  }

  /** Resolves when the stream has ended or the client is gone. */
  async get(exchange: Exchange, headers: Record<string, string>): Promise<void> {
    const lastEventId = exchange.header('last-event-id');
    if (lastEventId === undefined) {
      if (this.standalone.attached) {
        return refuseWith(exchange, 409, 'This session has an event stream already. Close it first.');
      }
      return this.#carry(exchange, this.standalone, undefined, headers);
    }
    const position = parseEventId(lastEventId);
    const stream = position === undefined ? undefined : this.#streams.get(position.streamNo);
    if (position === undefined || !stream?.knows(position.seq)) {
      return refuse(exchange, 'invalid_request', 'Last-Event-ID names no event of this session that is still kept.');
    }
    // 204 is how a server tells an event source that there is nothing to come back for.
    if (!stream.hasMoreAfter(position.seq)) return exchange.sendJson(204, undefined, Promise.resolve(), headers);
    return this.#carry(exchange, stream, position.seq, headers);
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.end()));
  }

  async #carry(
    exchange: Exchange,
    stream: EventStream,
    afterSeq: number | undefined,
    headers: Record<string, string>
  ): Promise<void> {
    const observation = exchange.begin(undefined, { upstreamTransport: 'stdio' });
    const intent = observation.intent();
    const answer = exchange.openSse(intent, headers);
    const carrier: Carrier = { answer, destroy: () => exchange.res.destroy() };
    const released = stream.attach(carrier, afterSeq);
    const lost = (): void => stream.detach(carrier);
    intent.catch(lost);
    exchange.signal.addEventListener('abort', lost, { once: true });
    if (exchange.signal.aborted) lost();
    await released;
    await observation.end({ outcome: 'success', httpStatus: 200 }).catch(() => undefined);
  }

  #open(onAbandoned?: () => void): EventStream {
    const streamNo = this.#nextNo;
    this.#nextNo += 1;
    const stream = new EventStream({
      streamNo,
      replay: this.#replay,
      gauge: this.#gauge,
      stallTimeoutMs: this.#limits.stallTimeoutMs,
      keepAliveMs: this.#limits.keepAliveMs,
      graceMs: this.#limits.resumeGraceMs,
      onLost: this.#onLost,
      ...(onAbandoned === undefined ? {} : { onAbandoned }),
    });
    this.#streams.set(streamNo, stream);
    return stream;
  }
}
