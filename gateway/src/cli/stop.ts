/**
 * How a running service ends: the first SIGINT or SIGTERM asks it to, a later one ends the process at once, and what
 * takes too long is cut off. Shared by `serve` and `demo`.
 */
import type { Gatelens } from '../main.ts';
import type { CliContext } from './context.ts';

/** npm and terminals often send the same signal twice; that is no second request. */
const SAME_REQUEST_MS = 500;

/** Resolves at the first signal; a later one ends the process, also while it is still starting. */
export function stopRequests(context: CliContext): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    context.onSignal((signal) => {
      const nowMs = context.now().getTime();
      if (firstAtMs === undefined) {
        firstAtMs = nowMs;
        context.note(`Stopping on ${signal}: running calls may end first. Once more to stop at once.`);
        resolve();
      } else if (nowMs - firstAtMs > SAME_REQUEST_MS) {
        context.exitNow(1);
      }
    });
  });
}

/** What is flushed after the calls have ended takes a moment, too. */
const FLUSH_MS = 5000;

export async function closeInTime(service: Gatelens, timeoutMs: number, context: CliContext): Promise<void> {
  const deadline = setTimeout(() => {
    context.note('Stopping took too long and was cut off. What was on disk is kept and continues at the next start.');
    context.exitNow(1);
  }, timeoutMs + FLUSH_MS);
  try {
    await service.close();
  } finally {
    clearTimeout(deadline);
  }
}
