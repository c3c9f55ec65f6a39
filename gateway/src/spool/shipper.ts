/**
 * Both streams' shippers together: metadata to `/v1/traces`, payloads to `/v1/logs`, each to its own address with its
 * own token, neither waiting for the other. Reads durable frames only.
 */
import type { Logger } from '../logger.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Cursor } from './cursor.ts';
import type { Disk } from './disk.ts';
import { FrameReader } from './frame-reader.ts';
import { type SegmentLog, STREAMS } from './segment-log.ts';
import type { SetAside } from './set-aside.ts';
import {
  createHttpTransport,
  type HttpTransportOptions,
  type ShipTarget,
  type ShipTransport,
} from './ship-transport.ts';
import type { SpoolStream } from './spool.ts';
import { type BatchLimits, StreamShipper } from './stream-shipper.ts';
import type { Tail } from './tail.ts';

/** Where a stream goes: an OTLP/HTTP receiver, or a transport of one's own (the embedded writer). */
export type ShipDestination = ShipTarget | ShipTransport;

export interface ShippingOptions extends Partial<BatchLimits>, HttpTransportOptions {
  readonly metadata: ShipDestination;
  readonly payload: ShipDestination;
  readonly clock?: Clock;
  /** in [0, 1); default Math.random */
  readonly random?: () => number;
}

export interface ShipperParts {
  readonly dir: string;
  readonly disk: Disk;
  readonly salt: number;
  readonly log: SegmentLog;
  readonly tail: Tail;
  readonly setAside: SetAside;
  readonly cursors: Record<SpoolStream, Cursor>;
  readonly logger: Logger;
  readonly onProgress: (shippedRecords: number) => void;
  readonly onUnreadable: (stream: SpoolStream, position: number, bytes: number) => void;
}

export class Shipper {
  readonly #streams: readonly StreamShipper[];

  /** @throws GatelensError `config_invalid` when an address is none */
  constructor(parts: ShipperParts, options: ShippingOptions) {
    const { log, tail, salt, onUnreadable } = parts;
    this.#streams = STREAMS.map((stream) => {
      const destination = options[stream];
      return new StreamShipper({
        ...parts,
        stream,
        cursor: parts.cursors[stream],
        reader: new FrameReader({
          stream,
          log,
          tail,
          salt,
          onUnreadable: (position, bytes) => onUnreadable(stream, position, bytes),
        }),
        transport: 'send' in destination ? destination : createHttpTransport(stream, destination, options),
        clock: options.clock ?? systemClock,
        random: options.random ?? Math.random,
        maxBatchBytes: options.maxBatchBytes ?? 4 * 1024 * 1024,
        maxBatchFrames: options.maxBatchFrames ?? 2000,
        lingerMs: options.lingerMs ?? 250,
        slowRetryMs: options.slowRetryMs ?? 30_000,
      });
    });
  }

  get retries(): number {
    return this.#streams.reduce((sum, stream) => sum + stream.retries, 0);
  }

  start(): void {
    for (const stream of this.#streams) stream.start();
  }

  notify(): void {
    for (const stream of this.#streams) stream.notify();
  }

  hurry(isHurried: boolean): void {
    for (const stream of this.#streams) stream.hurry(isHurried);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.stop()));
  }
}
