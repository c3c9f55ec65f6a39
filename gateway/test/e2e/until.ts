/** Waits for what another process does: asks again until it is so, and says what was missing when the time is over. */
const PAUSE_MS = 50;

/**
 * @param ask undefined or false: not yet
 * @param what for the message, or what there is so far
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string | (() => string),
  timeoutMs = 20_000
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await pause(PAUSE_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
