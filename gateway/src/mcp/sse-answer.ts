/**
 * An event stream that the gateway itself writes to a client (for bridges; the HTTP relay passes bytes instead). Events
 * leave in the order of the calls, each when its record is on disk; a record that cannot be kept destroys the stream.
 */
import type { ServerResponse } from 'node:http';
import type { SseAnswer, SseEvent } from './exchange.ts';

const KEEP_ALIVE = ': keep-alive\n\n';

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, '');
}

/** Data with line ends becomes several data lines, which the reader joins again. */
function frame(event: SseEvent): Buffer {
  let head = '';
  if (event.event !== undefined) head += `event: ${oneLine(event.event)}\n`;
  if (event.id !== undefined) head += `id: ${oneLine(event.id)}\n`;
  if (event.retryMs !== undefined) head += `retry: ${Math.trunc(event.retryMs)}\n`;
  const data = typeof event.data === 'string' ? Buffer.from(event.data) : event.data;
  const plain = !data.includes(0x0a) && !data.includes(0x0d);
  if (plain) return Buffer.concat([Buffer.from(`${head}data: `), data, Buffer.from('\n\n')]);
  const lines = Buffer.from(data)
    .toString('utf8')
    .split(/\r\n|\n|\r/);
  return Buffer.from(`${head}${lines.map((line) => `data: ${line}`).join('\n')}\n\n`);
}

export class NodeSseAnswer implements SseAnswer {
  readonly #res: ServerResponse;
  /** everything before it has left; resolves false once the stream is broken */
  #tail: Promise<boolean>;
  #waiting = 0;

  /** @param opened resolves true when the head was sent, false when the exchange was refused instead */
  constructor(res: ServerResponse, opened: Promise<boolean>) {
    this.#res = res;
    this.#tail = opened;
  }

  send(event: SseEvent): Promise<boolean> {
    const bytes = frame(event);
    // a rejection is looked at in its turn; until then it must not count as unhandled
    event.settled?.catch(() => undefined);
    return this.#enqueue(async () => {
      if (event.settled !== undefined) await event.settled;
      return this.#write(bytes);
    });
  }

  keepAlive(): void {
    if (this.#waiting === 0) void this.#enqueue(() => this.#write(KEEP_ALIVE));
  }

  async end(): Promise<void> {
    await this.#enqueue(() => {
      this.#res.end();
      return Promise.resolve(true);
    });
  }

  #enqueue(step: () => Promise<boolean>): Promise<boolean> {
    this.#waiting++;
    this.#tail = this.#tail.then(async (alive) => {
      try {
        return alive && !this.#res.destroyed && (await step());
      } catch {
        // the record could not be kept: nobody may see the answer
        this.#res.destroy();
        return false;
      } finally {
        this.#waiting--;
      }
    });
    return this.#tail;
  }

  #write(bytes: Buffer | string): Promise<boolean> {
    const res = this.#res;
    if (res.destroyed || res.writableEnded) return Promise.resolve(false);
    if (res.write(bytes)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (): void => {
        res.off('drain', done);
        res.off('close', done);
        resolve(!res.destroyed);
      };
      res.on('drain', done);
      res.on('close', done);
    });
  }
}
