/**
 * What the spool's tests share: frames that can be told apart, a directory of their own, a disk that fails on demand, a
 * clock worked by hand and a store that is a function. Real files underneath, always.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogFields, Logger } from '../../src/logger.ts';
import type { Clock } from '../../src/spool/clock.ts';
import { type Disk, nodeDisk } from '../../src/spool/disk.ts';
import { type OpenedSpool, openSpool, type OpenSpoolOptions } from '../../src/spool/open-spool.ts';
import type { ShipResponse, ShipTransport } from '../../src/spool/ship-transport.ts';
import type { IntentFrame, RecordFrame, Spool, SpoolFrame, SpoolStream } from '../../src/spool/spool.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
}

export function collectingLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log =
    (level: LogLine['level']) =>
    (event: string, fields: LogFields = {}): void => {
      lines.push({ level, event, fields });
    };
  return { lines, info: log('info'), warn: log('warn'), error: log('error') };
}

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), 'gatelens-spool-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function reopen(dir: string, options: Partial<OpenSpoolOptions> = {}): Promise<OpenedSpool> {
  return openSpool({ dir, logger: collectingLogger(), ...options });
}

export function intent(callId: string): IntentFrame {
  return { type: 'intent', callId, bytes: Buffer.from(`<intent ${callId}>`) };
}

/** Frames whose bytes are text in angle brackets, so that a concatenated body can be taken apart again. */
export function payload(text: string, bytes = 0): RecordFrame {
  return {
    type: 'record',
    stream: 'payload',
    bytes: Buffer.from(`<${text.padEnd(bytes, '.')}>`),
    startedAtNs: 1_700_000_000_000_000_000n,
  };
}

export function metadata(text: string, settles?: string): RecordFrame {
  return { ...payload(text), stream: 'metadata', ...(settles === undefined ? {} : { settles }) };
}

/** A completion: sealed payload, then the chained record that settles the call. */
export function completion(spool: Spool, callId: string): SpoolFrame[] {
  return [payload(`p ${callId}`), { ...metadata(`m ${callId}`, callId), link: spool.chain.next(callId) }];
}

export function textsIn(body: Uint8Array): string[] {
  return Array.from(
    Buffer.from(body)
      .toString()
      .matchAll(/<([^<>]*?)\.*>/g),
    (match) => match[1] ?? ''
  );
}

const DELIVERED: ShipResponse = { status: 200, contentType: '', retryAfter: undefined, body: new Uint8Array() };

export function answer(status: number, more: Partial<ShipResponse> = {}): ShipResponse {
  return { ...DELIVERED, status, ...more };
}

export interface FakeStore {
  readonly metadata: ShipTransport;
  readonly payload: ShipTransport;
  /** every request, answered or not */
  readonly requests: { readonly stream: SpoolStream; readonly body: Uint8Array }[];
  /** frames in delivered requests, in order */
  readonly delivered: Record<SpoolStream, string[]>;
}

/** @param behave returns the answer, or throws for a connection that breaks; undefined: delivered */
export function fakeStore(
  behave: (texts: string[], stream: SpoolStream, request: number) => ShipResponse | undefined = () => undefined
): FakeStore {
  const requests: FakeStore['requests'] = [];
  const delivered: FakeStore['delivered'] = { metadata: [], payload: [] };
  const transport = (stream: SpoolStream): ShipTransport => ({
    async send(body) {
      requests.push({ stream, body: new Uint8Array(body) });
      const texts = textsIn(body);
      const response = behave(texts, stream, requests.length) ?? DELIVERED;
      if (response.status === 200 && response.body.length === 0) delivered[stream].push(...texts);
      return response;
    },
    close: async () => undefined,
  });
  return { metadata: transport('metadata'), payload: transport('payload'), requests, delivered };
}

/** Time stands still until a sleep; then it jumps there. Every sleep is noted. */
export function jumpingClock(): Clock & { readonly sleeps: number[] } {
  const sleeps: number[] = [];
  let nowMs = Date.UTC(2026, 10, 24);
  return {
    sleeps,
    now: () => nowMs,
    async sleep(durationMs) {
      sleeps.push(durationMs);
      nowMs += durationMs;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** For tables of many spools, where no power cut is at stake. */
export const unsyncedDisk: Disk = {
  ...nodeDisk,
  fdatasync: async () => undefined,
  syncDirectory: async () => undefined,
};

export type DiskFault = (operation: keyof Disk, calls: number) => Error | 'short' | undefined;

export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The real disk, unless `fault` says otherwise; `calls` counts this operation from 1. */
export function faultyDisk(fault: DiskFault): Disk {
  const counts = new Map<keyof Disk, number>();
  const check = async (operation: keyof Disk): Promise<'short' | undefined> => {
    const calls = (counts.get(operation) ?? 0) + 1;
    counts.set(operation, calls);
    const outcome = fault(operation, calls);
    if (outcome === undefined) return undefined;
    // A real disk fails later, not in the tick of the call.
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  return {
    async create(path) {
      await check('create');
      return nodeDisk.create(path);
    },
    async openForUpdate(path) {
      await check('openForUpdate');
      return nodeDisk.openForUpdate(path);
    },
    async write(fd, pieces, position) {
      if ((await check('write')) !== 'short') return nodeDisk.write(fd, pieces, position);
      const all = Buffer.concat(pieces);
      return nodeDisk.write(fd, [all.subarray(0, all.length >> 1)], position);
    },
    async fdatasync(fd) {
      await check('fdatasync');
      return nodeDisk.fdatasync(fd);
    },
    async truncate(fd, bytes) {
      await check('truncate');
      return nodeDisk.truncate(fd, bytes);
    },
    async close(fd) {
      return nodeDisk.close(fd);
    },
    async remove(path) {
      await check('remove');
      return nodeDisk.remove(path);
    },
    async rename(from, to) {
      await check('rename');
      return nodeDisk.rename(from, to);
    },
    async syncDirectory(path) {
      await check('syncDirectory');
      return nodeDisk.syncDirectory(path);
    },
  };
}
