/**
 * Reads a request body up to the limit and scans it as it comes. Nothing goes upstream before all of it is known: the
 * last byte could still change what the message means. Refuses early when the length is announced.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { JsonScanner } from '../mcp/scan/json-scanner.ts';
import type { ReceivedMessage } from '../mcp/message.ts';
import type { BodyLease } from './body-budget.ts';

export type BodyProblem = 'too_large' | 'no_room' | 'aborted' | 'malformed';

export type ReadBody =
  | {
      readonly ok: true;
      readonly bytes: Buffer;
      readonly batch: boolean;
      readonly messages: readonly ReceivedMessage[];
    }
  | { readonly ok: false; readonly problem: BodyProblem; readonly bytes: Buffer; readonly size: number };

const NO_BYTES = Buffer.alloc(0);

/** @param lease where the bytes are counted; the caller releases it */
export function readBody(req: IncomingMessage, limitBytes: number, lease: BodyLease): Promise<ReadBody> {
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > limitBytes) {
    return Promise.resolve({ ok: false, problem: 'too_large', bytes: NO_BYTES, size: announced });
  }
  return new Promise((resolve) => {
    const scanner = new JsonScanner();
    const chunks: Buffer[] = [];
    let size = 0;
    const bytes = (): Buffer => (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    const finish = (result: ReadBody): void => {
      req.off('data', onData);
      req.off('end', onEnd);
      req.off('close', onClose);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limitBytes) {
        req.pause();
        finish({ ok: false, problem: 'too_large', bytes: bytes(), size });
        return;
      }
      if (!lease.take(chunk.length)) {
        req.pause();
        finish({ ok: false, problem: 'no_room', bytes: NO_BYTES, size });
        return;
      }
      chunks.push(chunk);
      scanner.feed(chunk);
    };
    const onEnd = (): void => {
      const whole = bytes();
      const scan = scanner.end();
      // text that is no UTF-8 would be read one way here and another way upstream
      if (!scan.ok || !isUtf8(whole)) {
        finish({ ok: false, problem: 'malformed', bytes: whole, size });
        return;
      }
      const { batch, messages } = scan.body;
      const received = messages.map((message): ReceivedMessage =>
        Object.assign(message, { bytes: bytesOf(whole, message.range, batch) })
      );
      finish({ ok: true, bytes: whole, batch, messages: received });
    };
    const onClose = (): void => finish({ ok: false, problem: 'aborted', bytes: bytes(), size });
    req.on('data', onData);
    req.on('end', onEnd);
    req.on('close', onClose);
    req.on('error', () => undefined);
  });
}

function bytesOf(whole: Buffer, range: { readonly start: number; readonly end: number }, batch: boolean): Buffer {
  return batch ? whole.subarray(range.start, range.end) : whole;
}
