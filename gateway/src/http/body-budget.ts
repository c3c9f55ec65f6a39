/**
 * How much memory all request bodies together may take: counted as they arrive, given back when their exchange is over.
 * No one caller gets all of it. It counts what came, not what was announced, so that promising much costs others nothing.
 */
export interface BodyLease {
  /** @returns false when there is no room; then nothing was taken */
  take(bytes: number): boolean;
  /** Gives back all that was taken; idempotent. */
  release(): void;
}

export class BodyBudget {
  readonly #totalBytes: number;
  readonly #callerBytes: number;
  readonly #byCaller = new Map<string, number>();
  #takenBytes = 0;

  /** @param bodyBytes the largest single body: a caller can always send one */
  constructor(totalBytes: number, bodyBytes: number) {
    this.#totalBytes = totalBytes;
    this.#callerBytes = Math.max(totalBytes / 2, bodyBytes);
  }

  /** held at this moment */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** @param userKey `''`: nobody in particular, without a share of their own */
  lease(userKey: string): BodyLease {
    let held = 0;
    let over = false;
    return {
      take: (bytes) => {
        const own = userKey === '' ? 0 : (this.#byCaller.get(userKey) ?? 0);
        if (over || this.#takenBytes + bytes > this.#totalBytes || own + bytes > this.#callerBytes) return false;
        held += bytes;
        this.#add(userKey, bytes);
        return true;
      },
      release: () => {
        over = true;
        this.#add(userKey, -held);
        held = 0;
      },
    };
  }

  #add(userKey: string, bytes: number): void {
    this.#takenBytes += bytes;
    if (userKey === '') return;
    const own = (this.#byCaller.get(userKey) ?? 0) + bytes;
    if (own === 0) this.#byCaller.delete(userKey);
    else this.#byCaller.set(userKey, own);
  }
}
