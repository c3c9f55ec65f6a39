/**
 * Shapes large bodies on another thread, so that cutting and redacting a quarter of a megabyte does not hold up every
 * other call. The thread starts with the first large body and never keeps the process alive. If it dies or takes too
 * long all that wait fail, and a new one starts with the next body.
 */
import { Worker } from 'node:worker_threads';
import type { BodyToShape } from './body-shaping.ts';
import type { RedactedBody, RedactionOptions } from './redaction.ts';
import type { ShapingAnswer, ShapingRequest } from './shaping-worker.ts';

/** @throws an Error without payload */
export type ShapeAside = (body: BodyToShape) => Promise<RedactedBody>;

interface Waiting {
  resolve(shaped: RedactedBody): void;
  reject(error: Error): void;
}

const PATIENCE_MS = 10_000;

export function createShapingThread(options: RedactionOptions, patienceMs = PATIENCE_MS): ShapeAside {
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let worker: Worker | undefined;

  const stop = (stopped: Worker): void => {
    if (worker !== stopped) return;
    worker = undefined;
    void stopped.terminate();
    for (const one of waiting.values()) one.reject(new Error('the shaping thread ended'));
    waiting.clear();
  };

  const start = (): Worker => {
    // No flags of the process: some, such as --input-type, stop a thread from starting.
    const file = new URL('./shaping-worker.ts', import.meta.url);
    const started = new Worker(file, { workerData: options, execArgv: [] });
    started.on('message', ({ id, shaped }: ShapingAnswer) => {
      const one = waiting.get(id);
      waiting.delete(id);
      if (shaped === undefined) one?.reject(new Error('a body could not be shaped'));
      else one?.resolve(shaped);
    });
    // The error may quote what the thread worked on: it is dropped here.
    started.on('error', () => {
      stop(started);
    });
    started.on('exit', () => {
      stop(started);
    });
    return started;
  };

  return async (body) => {
    const used = (worker ??= start());
    const id = nextId++;
    const timer = setTimeout(() => {
      stop(used);
    }, patienceMs);
    // While a body is under way the process must not end; idle, the thread must not keep it.
    used.ref();
    try {
      return await new Promise<RedactedBody>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        used.postMessage({ id, body } satisfies ShapingRequest);
      });
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
      if (waiting.size === 0) used.unref();
    }
  };
}
