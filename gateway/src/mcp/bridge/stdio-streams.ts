/**
 * The event streams of one session: the standalone one that a client opens with GET, and one for each POST that is
 * answered as a stream. Answers GET: opens the standalone stream or carries on where `Last-Event-ID` says. A client of
 * the older HTTP+SSE transport has the standalone one only, and cannot come back to it.
 */
import type { Exchange, RecordedAt, SseEvent } from '../exchange.ts';
import type { CallEnd } from '../observer.ts';
import { EventStream, type Carrier, type FlowGauge } from './stdio-event-stream.ts';
import type { StdioLimits } from './stdio-limits.ts';
import { refuse, refuseWith } from './stdio-refusal.ts';
import { parseEventId, ReplayBuffer } from './stdio-replay.ts';

const STANDALONE = 0;

export interface SessionStreamsOptions {
  readonly at: RecordedAt;
  readonly limits: StdioLimits;
  readonly gauge: FlowGauge;
  readonly resumable: boolean;
  /** counts events that fell out of the replay buffer before the client got them */
  readonly onLost: (events: number) => void;
}

export class SessionStreams {
  readonly standalone: EventStream;
  readonly #options: SessionStreamsOptions;
  readonly #replay: ReplayBuffer | undefined;
  readonly #streams = new Map<number, EventStream>();
  #nextNo = STANDALONE;
  /** how the records of streams end */
  #end: CallEnd = { outcome: 'success', httpStatus: 200 };

  constructor(options: SessionStreamsOptions) {
    this.#options = options;
    const { replayEvents, replayBytes } = options.limits;
    this.#replay = options.resumable ? new ReplayBuffer({ maxEvents: replayEvents, maxBytes: replayBytes }) : undefined;
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

  /** Resolves when the client has left or the session has ended. @param first what the stream begins with */
  carryOnly(exchange: Exchange, first: SseEvent): Promise<void> {
    return this.#carry(exchange, this.standalone, undefined, {}, first);
  }

  /** @param end how the records of the streams end that are open */
  async endAll(end: Pick<CallEnd, 'outcome' | 'errorType'>): Promise<void> {
    this.#end = { ...end, httpStatus: 200 };
    await Promise.all([...this.#streams.values()].map((stream) => stream.end()));
  }

  async #carry(
    exchange: Exchange,
    stream: EventStream,
    afterSeq: number | undefined,
    headers: Record<string, string>,
    first?: SseEvent
  ): Promise<void> {
    const observation = exchange.begin(undefined, this.#options.at);
    const intent = observation.intent();
    observation.hurry();
    const answer = exchange.openSse(intent, headers);
    if (first !== undefined) void answer.send(first);
    const carrier: Carrier = { answer, destroy: () => exchange.res.destroy() };
    const released = stream.attach(carrier, afterSeq);
    const lost = (): void => stream.detach(carrier);
    intent.catch(lost);
    exchange.signal.addEventListener('abort', lost, { once: true });
    if (exchange.signal.aborted) lost();
    await released;
    await observation.end(this.#end).catch(() => undefined);
  }

  #open(onAbandoned?: () => void): EventStream {
    const { limits, gauge, onLost } = this.#options;
    const streamNo = this.#nextNo;
    this.#nextNo += 1;
    const stream = new EventStream({
      streamNo,
      ...(this.#replay === undefined ? {} : { replay: this.#replay }),
      gauge,
      stallTimeoutMs: limits.stallTimeoutMs,
      keepAliveMs: limits.keepAliveMs,
      graceMs: limits.resumeGraceMs,
      onLost,
      ...(onAbandoned === undefined ? {} : { onAbandoned }),
    });
    this.#streams.set(streamNo, stream);
    return stream;
  }
}
