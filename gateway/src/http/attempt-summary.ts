/**
 * Records what was left out of the record: in each interval one attempt for each source that was refused too often, with
 * how many it stands for, of which sorts, since when. A sum that cannot be recorded waits for the next interval; what is
 * not recorded when the process is killed is lost, and that is all that is.
 */
import type { AttemptLimits } from '../access/attempt-limit.ts';
import type { LeftOut } from '../access/attempt-sources.ts';
import type { Logger } from '../logger.ts';
import type { CallObserver } from '../mcp/observer.ts';
import { NOBODY } from './refusal.ts';

export interface AttemptSummaries {
  /** Records the last sums and stops. */
  close(): Promise<void>;
}

export interface AttemptSummaryOptions {
  readonly attempts: Pick<AttemptLimits, 'take' | 'giveBack'>;
  readonly observer: CallObserver;
  readonly logger: Logger;
  readonly everyMs: number;
}

export function startAttemptSummaries(options: AttemptSummaryOptions): AttemptSummaries {
  const { attempts, observer, logger, everyMs } = options;
  const flush = async (): Promise<void> => {
    const sums = attempts.take();
    if (sums.length === 0) return;
    await Promise.all(sums.map((sum) => record(observer, sum).catch(() => attempts.giveBack(sum))));
    const total = sums.reduce((sum, one) => sum + one.attempts, 0);
    logger.warn('attempts_left_out', { attempts: total, records: sums.length });
  };
  const timer = setInterval(() => void flush(), everyMs);
  timer.unref();
  return {
    close: () => {
      clearInterval(timer);
      return flush();
    },
  };
}

function record(observer: CallObserver, sum: LeftOut): Promise<void> {
  const { address, attempts, sources, bySort, sinceMs } = sum;
  const leftOut = { attempts, sources, bySort };
  return observer
    .begin({
      kind: 'attempt',
      server: '',
      serverKnown: false,
      caller: sum.caller ?? NOBODY,
      method: '',
      clientAddress: address,
      upstreamTransport: 'none',
      requestHeaders: [],
      // sealed, and its hash is in the chain: the sum cannot be changed afterwards
      requestBody: Buffer.from(JSON.stringify({ leftOut })),
      arrivedAt: sinceMs,
      leftOut,
    })
    .end({ outcome: 'denied', errorType: 'attempts_left_out', deniedBy: 'rate_limit' });
}
