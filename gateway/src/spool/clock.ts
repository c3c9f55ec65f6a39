/**
 * Time as an argument of the shipper: tests run it by hand. Waits are unreferenced, so that a spool left open keeps no
 * process alive by itself.
 */
export interface Clock {
  /** milliseconds since 1970 */
  now(): number;
  /** Resolves after the time or as soon as the signal aborts; never rejects. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, durationMs);
      timer.unref();
      signal.addEventListener('abort', finish);
    }),
};
