/**
 * Ships one stream: forms a batch, writes its end down, sends it, and does not go on before the store has taken it. One
 * request at a time, so a data key arrives before what it sealed. A refused batch is halved until the frames at fault
 * stand alone and are set aside; every other failure is waited out, without end. It drops nothing.
 */
import { isGatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Clock } from './clock.ts';
import { type Cursor, saveCursor } from './cursor.ts';
import { type Disk, systemErrorCode } from './disk.ts';
import type { FrameReader, ReadLimits } from './frame-reader.ts';
import type { SegmentLog } from './segment-log.ts';
import type { SetAside } from './set-aside.ts';
import { type BatchPart, ShipBatch } from './ship-batch.ts';
import type { ShipTransport } from './ship-transport.ts';
import { judge, retryDelayMs, type ShipVerdict } from './ship-verdict.ts';
import type { SpoolStream } from './spool.ts';

export interface BatchLimits {
  /** of one request, before compression; default 4 MiB. A larger frame goes alone. */
  readonly maxBatchBytes: number;
  /** default 2000 */
  readonly maxBatchFrames: number;
  /** how long a batch that is not full waits for more; default 250 ms */
  readonly lingerMs: number;
  /** wait after an answer that only a person can change; default 30 s */
  readonly slowRetryMs: number;
}

export interface StreamShipperOptions extends BatchLimits {
  readonly stream: SpoolStream;
  readonly dir: string;
  readonly disk: Disk;
  readonly log: SegmentLog;
  readonly reader: FrameReader;
  readonly cursor: Cursor;
  readonly transport: ShipTransport;
  readonly setAside: SetAside;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** The stream has got rid of more; so many chained records of it were taken by the store. */
  readonly onProgress: (shippedRecords: number) => void;
}

/** That many refused frames in a row are no accident of content: from there on slowly, until a person has looked. */
const REFUSED_IN_A_ROW = 20;

type Pause = 'data' | 'linger' | 'retry';

export class StreamShipper {
  readonly #options: StreamShipperOptions;
  readonly #stopping = new AbortController();
  #cursor: Cursor;
  /** frames of [acked, last of ends], once read */
  readonly #batch: ShipBatch;
  /** those before were taken by the store or set aside */
  #firstFrame = 0;
  #isSaved = true;
  #isHurried = false;
  #attempt = 0;
  #refusedInARow = 0;
  #pause: { readonly why: Pause; readonly wake: AbortController } | undefined;
  #running: Promise<void> | undefined;
  retries = 0;

  constructor(options: StreamShipperOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
    this.#batch = new ShipBatch(2 * options.maxBatchBytes);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** More frames have become durable. */
  notify(): void {
    const why = this.#pause?.why;
    if (why === 'data' || (why === 'linger' && this.#isFull())) this.#pause?.wake.abort();
  }

  /** While hurried no batch waits for more; a retry that is due later is tried now. */
  hurry(isHurried: boolean): void {
    this.#isHurried = isHurried;
    if (isHurried) this.#pause?.wake.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause?.wake.abort();
    await this.#running;
    if (!this.#isSaved) await this.#save();
    await this.#options.reader.close();
    await this.#options.transport.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const batch = await this.#nextBatch();
        if (batch) await this.#deliver(batch);
      } catch (error) {
        await this.#retry({ code: codeOf(error) }, undefined);
      }
    }
  }

  /** @returns undefined when there was something to wait for first */
  async #nextBatch(): Promise<BatchPart | undefined> {
    const { log, stream, lingerMs, maxBatchBytes, maxBatchFrames } = this.#options;
    const end = this.#cursor.ends.at(-1);
    if (end !== undefined && !this.#isSaved) await this.#save();
    if (end === undefined) {
      if (!log.hasWaiting(stream)) {
        if (!this.#isSaved) await this.#save();
        else await this.#wait('data', undefined);
        return undefined;
      }
      // What was delivered is noted together with the next batch. A crash before means that it is delivered again.
      if (!this.#isFull() && !this.#isHurried) {
        await this.#wait('linger', lingerMs);
        if (this.#stopping.signal.aborted) return undefined;
      }
      const until = log.lastEnd[stream];
      await this.#read({ until, maxBytes: maxBatchBytes, maxFrames: maxBatchFrames });
      if (this.#batch.frames === 0) {
        // Nothing readable is left of it; the reader has reported that.
        this.#advance(until, undefined);
        return undefined;
      }
      this.#cursor = { ...this.#cursor, ends: [this.#batch.endOf(this.#batch.frames - 1)] };
      log.oldestIs(stream, this.#batch.oldestNs);
      await this.#save();
    } else if (this.#firstFrame >= this.#batch.frames) {
      await this.#read({ until: end, maxBytes: Infinity, maxFrames: Infinity });
    }
    const [batchEnd = 0] = this.#cursor.ends;
    const part = this.#batch.partUntil(this.#firstFrame, batchEnd);
    if (part.behind > part.first) return part;
    this.#advance(batchEnd, undefined);
    return undefined;
  }

  async #read(limits: ReadLimits): Promise<void> {
    this.#batch.clear();
    this.#firstFrame = 0;
    await this.#options.reader.read(this.#cursor.acked, limits, this.#batch);
  }

  async #deliver(part: BatchPart): Promise<void> {
    const answer = await this.#send(this.#batch.view(part));
    if (this.#stopping.signal.aborted && answer.verdict.kind !== 'delivered') return;
    const frames = part.behind - part.first;
    const verdict = answer.verdict.kind === 'refused' ? await this.#examineRefusal(frames, answer) : answer.verdict;
    if (verdict.kind === 'delivered') {
      this.#recovered();
      this.#refusedInARow = 0;
      this.#advance(this.#cursor.ends[0] ?? 0, part, this.#batch.records(part));
    } else if (verdict.kind !== 'refused') {
      const afterMs = verdict.kind === 'retry' ? verdict.afterMs : this.#options.slowRetryMs;
      await this.#retry({ ...answer.fields, misconfigured: verdict.kind === 'misconfigured' }, afterMs);
    } else if (frames > 1) {
      const middle = part.first + (frames >> 1) - 1;
      this.#cursor = { ...this.#cursor, ends: [this.#batch.endOf(middle), ...this.#cursor.ends] };
      this.#isSaved = false;
    } else {
      await this.#putAside(part, answer.fields);
    }
  }

  async #send(body: Uint8Array): Promise<{ verdict: ShipVerdict; fields: Record<string, string | number> }> {
    const { transport, clock } = this.#options;
    try {
      const response = await transport.send(body, this.#stopping.signal);
      return { verdict: judge(response, clock.now()), fields: { status: response.status } };
    } catch (error) {
      return { verdict: { kind: 'retry', afterMs: undefined }, fields: { code: codeOf(error) } };
    }
  }

  /**
   * A receiver that refuses even an empty request, which is valid OTLP, has nothing against the frames: the address or
   * the receiver is wrong. Asked before a batch is divided and before a frame is set aside.
   */
  async #examineRefusal(frames: number, answer: { verdict: ShipVerdict }): Promise<ShipVerdict> {
    if (frames > 1 && this.#cursor.ends.length > 1) return answer.verdict;
    const { verdict } = await this.#send(new Uint8Array(0));
    if (verdict.kind === 'delivered') return answer.verdict;
    return verdict.kind === 'refused' ? { kind: 'misconfigured' } : verdict;
  }

  /** @param part one frame */
  async #putAside(part: BatchPart, fields: Record<string, string | number>): Promise<void> {
    const { setAside, stream, logger, slowRetryMs } = this.#options;
    const position = this.#batch.endOf(part.first);
    const frame = this.#batch.view(part);
    await setAside.keep(stream, position, frame);
    this.#refusedInARow += 1;
    logger.error('spool.frame_set_aside', { stream, position, bytes: frame.length, ...fields });
    this.#recovered();
    this.#advance(position, part);
    if (this.#refusedInARow >= REFUSED_IN_A_ROW) await this.#wait('retry', slowRetryMs);
  }

  #advance(position: number, part: BatchPart | undefined, shippedRecords = 0): void {
    const { log, stream } = this.#options;
    const ends = this.#cursor.ends.filter((end) => end > position);
    // A floor under the chain's head may be lower than it could be.
    const link = (ends.length === 0 ? this.#batch.link : undefined) ?? this.#cursor.link;
    this.#cursor = { acked: position, ends, link };
    this.#firstFrame = this.#batch.partUntil(this.#firstFrame, ends.length === 0 ? Infinity : position).behind;
    this.#isSaved = false;
    if (part) log.ack(stream, position, part.behind - part.first, this.#batch.storedBytes(part));
    else log.ack(stream, position, 0, 0);
    this.#options.onProgress(shippedRecords);
  }

  /** A cursor that cannot be saved (full disk) must not stop the shipping that frees the disk: it costs repetition. */
  async #save(): Promise<void> {
    const { disk, dir, stream, logger } = this.#options;
    try {
      await saveCursor(disk, dir, stream, this.#cursor);
    } catch (error) {
      logger.warn('spool.cursor_unsaved', { stream, code: systemErrorCode(error) });
    }
    this.#isSaved = true;
  }

  #isFull(): boolean {
    const { log, stream, maxBatchBytes, maxBatchFrames } = this.#options;
    const waiting = log.waiting[stream];
    return waiting.bytes >= maxBatchBytes || waiting.frames >= maxBatchFrames;
  }

  async #retry(fields: Record<string, string | number | boolean>, afterMs: number | undefined): Promise<void> {
    const { stream, logger, random } = this.#options;
    if (this.#stopping.signal.aborted) return;
    this.#attempt += 1;
    this.retries += 1;
    const delayMs = Math.round(afterMs ?? retryDelayMs(this.#attempt, random()));
    // Each power of two: an outage of a day is a dozen lines.
    if ((this.#attempt & (this.#attempt - 1)) === 0) {
      logger.warn('spool.ship_failed', { stream, attempt: this.#attempt, retry_ms: delayMs, ...fields });
    }
    await this.#wait('retry', delayMs);
  }

  #recovered(): void {
    if (this.#attempt > 0) {
      this.#options.logger.info('spool.ship_recovered', { stream: this.#options.stream, attempts: this.#attempt });
    }
    this.#attempt = 0;
  }

  async #wait(why: Pause, durationMs: number | undefined): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const wake = new AbortController();
    this.#pause = { why, wake };
    if (durationMs !== undefined) await this.#options.clock.sleep(durationMs, wake.signal);
    else await new Promise<void>((resolve) => wake.signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#pause = undefined;
  }
}

function codeOf(error: unknown): string {
  if (isGatelensError(error)) return error.code;
  return systemErrorCode(error);
}
