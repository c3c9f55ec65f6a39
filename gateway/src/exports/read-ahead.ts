/**
 * Runs sources one after the other, each begun a little before its turn, so that the store works on the next slice while
 * this one is being sent. What is read ahead is bounded in bytes; leaving ends every source that was begun.
 */

/** Of one source that waits for its turn. */
const AHEAD_BYTES = 48 * 1024 * 1024;
/** Sources at once, the current one included. */
const AT_ONCE = 2;

interface Begun {
  next(): Promise<Buffer | undefined>;
  leave(): Promise<void>;
}

function begin(source: AsyncIterable<Buffer>): Begun {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const ready: Buffer[] = [];
  let bytes = 0;
  let ended = false;
  let left = false;
  const isLeft = (): boolean => left;
  let failure: { readonly error: unknown } | undefined;
  let wakeReader: () => void = () => undefined;
  let wakePump: () => void = () => undefined;
  const pump = async (): Promise<void> => {
    try {
      while (!isLeft()) {
        const { value, done } = await iterator.next();
        if (done === true) break;
        ready.push(value);
        bytes += value.length;
        wakeReader();
        if (bytes >= AHEAD_BYTES && !isLeft()) await new Promise<void>((wake) => (wakePump = wake));
      }
    } catch (error) {
      failure = { error };
    }
    ended = true;
    wakeReader();
  };
  const pumping = pump();
  return {
    async next() {
      for (;;) {
        const chunk = ready.shift();
        if (chunk !== undefined) {
          bytes -= chunk.length;
          wakePump();
          return chunk;
        }
        if (failure !== undefined) throw failure.error;
        if (ended) return undefined;
        await new Promise<void>((wake) => (wakeReader = wake));
      }
    },
    async leave() {
      left = true;
      wakePump();
      await iterator.return?.();
      await pumping;
    },
  };
}

/** @param onEnd called after the last bytes of each source */
export async function* inOrder<T>(
  items: readonly T[],
  open: (item: T) => AsyncIterable<Buffer>,
  onEnd: (item: T) => void = () => undefined
): AsyncGenerator<Buffer> {
  const begun: { readonly item: T; readonly source: Begun }[] = [];
  let nextItem = 0;
  const fill = (): void => {
    for (; begun.length < AT_ONCE && nextItem < items.length; nextItem++) {
      const item = items[nextItem] as T;
      begun.push({ item, source: begin(open(item)) });
    }
  };
  try {
    fill();
    for (let current = begun[0]; current !== undefined; current = begun[0]) {
      for (;;) {
        const chunk = await current.source.next();
        if (chunk === undefined) break;
        yield chunk;
      }
      onEnd(current.item);
      begun.shift();
      fill();
    }
  } finally {
    await Promise.all(begun.map(({ source }) => source.leave().catch(() => undefined)));
  }
}
