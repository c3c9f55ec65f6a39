/**
 * Back-pressure for a child that many clients share: bytes that wait for all of them have one bound. Beyond it the child
 * has to wait, but not for long, since one client that does not read would hold up all others: whoever has most waiting
 * is cut off, until there is room again.
 */
import type { Flow } from './stdio-event-stream.ts';

export interface SharedFlowOptions {
  readonly maxBytes: number;
  /** how long the child, and with it everybody, waits for the slowest client */
  readonly patienceMs: number;
  onFull(): void;
  onFree(): void;
}

interface Holder {
  bytes: number;
  readonly cut: () => void;
}

export class SharedFlow {
  readonly #options: SharedFlowOptions;
  readonly #holders = new Set<Holder>();
  #bytes = 0;
  #impatience: NodeJS.Timeout | undefined;

  constructor(options: SharedFlowOptions) {
    this.#options = options;
  }

  /** The account of one client's answer. @param cut ends the client's connection, and so frees what waits for it */
  open(cut: () => void): Flow {
    const holder: Holder = { bytes: 0, cut };
    return {
      add: (bytes) => {
        this.#holders.add(holder);
        holder.bytes += bytes;
        this.#changed(bytes);
      },
      remove: (bytes) => {
        holder.bytes -= bytes;
        if (holder.bytes <= 0) this.#holders.delete(holder);
        this.#changed(-bytes);
      },
    };
  }

  #changed(bytes: number): void {
    const { maxBytes, patienceMs } = this.#options;
    this.#bytes += bytes;
    if (this.#impatience === undefined && this.#bytes > maxBytes) {
      this.#impatience = setInterval(() => this.#cutLargest(), patienceMs);
      this.#options.onFull();
    } else if (this.#impatience !== undefined && this.#bytes <= maxBytes / 2) {
      clearInterval(this.#impatience);
      this.#impatience = undefined;
      this.#options.onFree();
    }
  }

  #cutLargest(): void {
    const [largest] = [...this.#holders].toSorted((a, b) => b.bytes - a.bytes);
    largest?.cut();
  }
}
