/**
 * A call observer around another one: looks at the answers of tools/list as they pass and tells the watch. It keeps more
 * of such an answer than the capture rules ask for, and hands on no more than they do. It delays nothing: what it finds
 * is worked out after the answer has gone.
 */
import type { Logger } from '../logger.ts';
import type { CallEnd, CallObservation, CallObserver, CallStart, CapturedBody } from '../mcp/observer.ts';
import type { ToolChange, ToolChangeRecorder } from '../record/tool-changes.ts';
import { cursorOf, MAX_LIST_BYTES, readToolListPage } from './tool-list.ts';
import type { ToolWatch, WatchedServer } from './tool-watch.ts';

export interface ToolListObserverOptions {
  readonly inner: CallObserver;
  readonly watch: ToolWatch;
  readonly recorder: ToolChangeRecorder;
  /** keeps what is known for the next start */
  readonly save: (servers: ReadonlyMap<string, WatchedServer>) => void;
  readonly logger: Logger;
  /** runs later; default `setImmediate` */
  readonly later?: (work: () => void) => void;
}

export class ToolListObserver implements CallObserver {
  readonly #options: ToolListObserverOptions;

  constructor(options: ToolListObserverOptions) {
    this.#options = options;
  }

  begin(start: CallStart): CallObservation {
    const observation = this.#options.inner.begin(start);
    if (start.kind !== 'request' || start.method !== 'tools/list') return observation;
    // not of servers that are no upstream: unknown ones, and the gateway's own
    if (!start.serverKnown || start.upstreamTransport === 'none') return observation;
    return new ObservedToolList(observation, (end) => this.#seen(start, observation.callId, end));
  }

  #seen(start: CallStart, callId: string, end: CallEnd): void {
    const { response, outcome } = end;
    if (outcome !== 'success' || response === undefined) return;
    (this.#options.later ?? setImmediate)(() => this.#compare(start, callId, end, response));
  }

  #compare(start: CallStart, callId: string, end: CallEnd, response: CapturedBody): void {
    const { watch, logger } = this.#options;
    const { server } = start;
    const page = readToolListPage(response);
    if (page === undefined) {
      logger.warn('tool_list_unreadable', { server, bytes: response.bytes });
      return;
    }
    const cursor = cursorOf(start.requestBody);
    const change = watch.observe({
      server,
      callId,
      reader: readerOf(start),
      ...(cursor === undefined ? {} : { cursor }),
      page,
      client: end.client ?? start.client ?? { name: '', version: '' },
      protocolVersion: end.protocolVersion ?? start.protocolVersion ?? '',
    });
    if (change !== undefined) void this.#record(change);
  }

  async #record(change: ToolChange): Promise<void> {
    const { watch, recorder, save, logger } = this.#options;
    const { server } = change;
    try {
      await recorder.record(change);
      logger.info('tool_list_changed', { server, change: change.change, tools: change.tools });
    } catch {
      watch.forget(change);
      logger.error('tool_change_not_recorded', { server });
      return;
    }
    try {
      save(watch.servers);
    } catch {
      // the next start would record it once more, no worse
      logger.warn('tool_lists_not_saved', { server });
    }
  }
}

/** Who reads the pages of one list. Without a session each page may come on a connection of its own. */
function readerOf({ session, caller, clientAddress = '' }: CallStart): string {
  const run = session?.kind === 'mcp' ? session.id : clientAddress;
  return `${run}\0${caller.userKey}`;
}

class ObservedToolList implements CallObservation {
  readonly #inner: CallObservation;
  readonly #onEnd: (end: CallEnd) => void;
  #ended = false;

  constructor(inner: CallObservation, onEnd: (end: CallEnd) => void) {
    this.#inner = inner;
    this.#onEnd = onEnd;
  }

  get callId(): string {
    return this.#inner.callId;
  }

  get upstreamTrace(): CallObservation['upstreamTrace'] {
    return this.#inner.upstreamTrace;
  }

  get captureBytes(): number {
    return Math.max(this.#inner.captureBytes, MAX_LIST_BYTES);
  }

  intent(): Promise<void> {
    return this.#inner.intent();
  }

  hurry(): void {
    this.#inner.hurry();
  }

  upstreamStarted(): void {
    this.#inner.upstreamStarted();
  }

  end(end: CallEnd): Promise<void> {
    const { response } = end;
    const cut = response === undefined ? end : { ...end, response: cutTo(response, this.#inner.captureBytes) };
    const ended = this.#inner.end(cut);
    if (!this.#ended) this.#onEnd(end);
    this.#ended = true;
    return ended;
  }
}

/** As the capture rules would have kept it. */
function cutTo(body: CapturedBody, captureBytes: number): CapturedBody {
  const chunks: Uint8Array[] = [];
  let room = captureBytes;
  for (const chunk of body.chunks) {
    if (room <= 0) break;
    chunks.push(chunk.length <= room ? chunk : chunk.subarray(0, room));
    room -= chunk.length;
  }
  return { ...body, chunks };
}
