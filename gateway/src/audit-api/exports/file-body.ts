/**
 * The body of an answer that is a file. Whoever reads streams can read it; the server writes it to the connection itself
 * instead, piece by piece, and gives the memory of each back as soon as the system has it. A file that breaks off ends
 * the connection, so that no client takes it for a whole one; one that is ended from elsewhere does so at once, also
 * while its reader takes nothing.
 */
import type { Writable } from 'node:stream';
import { giveBack } from '../../store/give-back.ts';

export class FileBody extends ReadableStream<Uint8Array> {
  readonly #pieces: AsyncIterator<Buffer, undefined>;
  readonly #ended: AbortSignal;

  /** @param ended aborts when the rest of it is not to be sent */
  constructor(bytes: AsyncIterable<Buffer>, ended: AbortSignal) {
    const pieces = bytes[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    super(
      {
        start(controller) {
          ended.addEventListener('abort', () => {
            controller.error(new TypeError('the export was ended'));
            void pieces.return?.().catch(() => undefined);
          });
        },
        async pull(controller) {
          try {
            const { value, done } = await pieces.next();
            if (done === true) controller.close();
            else controller.enqueue(value);
          } catch (error) {
            controller.error(error);
          }
        },
        async cancel() {
          await pieces.return?.();
        },
      },
      // asks for nothing before it is read: it may be written instead
      { highWaterMark: 0 }
    );
    this.#pieces = pieces;
    this.#ended = ended;
  }

  /** Once, and instead of reading it. Resolves when it is over, whichever way. */
  async writeTo(outgoing: Writable): Promise<void> {
    let wake: () => void = () => undefined;
    const gone = (): void => {
      wake();
      void this.#end();
    };
    const breakOff = (): void => void outgoing.destroy();
    outgoing.once('close', gone);
    this.#ended.addEventListener('abort', breakOff);
    try {
      while (!outgoing.destroyed) {
        const { value, done } = await this.#pieces.next();
        if (done === true) {
          outgoing.end();
          return;
        }
        await new Promise<void>((settle) => {
          wake = settle;
          outgoing.write(value, () => settle());
        });
        giveBack(value);
      }
    } catch {
      outgoing.destroy();
    } finally {
      outgoing.off('close', gone);
      this.#ended.removeEventListener('abort', breakOff);
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    await this.#pieces.return?.().catch(() => undefined);
  }
}
