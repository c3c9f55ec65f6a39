/**
 * Records refusals in the access log without letting whoever is refused fill the disk: so many a minute of each sort,
 * then they are counted and the count goes into the next record. A refusal is a refusal whether it could be recorded or
 * not; a record that failed is reported in our own log.
 */
import type { AccessEntry, AccessReason, AccessRecorder } from '../record/access.ts';
import type { Logger } from '../logger.ts';
import type { ApiClock } from './clock.ts';

const MINUTE_MS = 60_000;
export const REFUSALS_A_MINUTE = 20;

export interface RefusalLog {
  /** Resolves when the refusal is recorded, counted or reported; never rejects. */
  refused(entry: Omit<AccessEntry, 'decision'> & { readonly reason: AccessReason }): Promise<void>;
}

interface Sort {
  minute: number;
  recorded: number;
  suppressed: number;
}

export function createRefusalLog(deps: {
  readonly recorder: AccessRecorder;
  readonly clock: ApiClock;
  readonly logger: Logger;
}): RefusalLog {
  // bounded: the keys are our own words and names of configured tokens, nothing that a stranger sent
  const sorts = new Map<string, Sort>();
  return {
    async refused(entry) {
      const key = `${entry.action} ${entry.reason} ${entry.actorKind} ${entry.actorName ?? ''}`;
      const minute = Math.floor(deps.clock.monotonicMs() / MINUTE_MS);
      const sort = sorts.get(key) ?? { minute, recorded: 0, suppressed: 0 };
      sorts.set(key, sort);
      if (sort.minute !== minute) Object.assign(sort, { minute, recorded: 0 });
      if (sort.recorded >= REFUSALS_A_MINUTE) {
        sort.suppressed += 1;
        return;
      }
      sort.recorded += 1;
      const { suppressed } = sort;
      sort.suppressed = 0;
      try {
        const detail = suppressed === 0 ? {} : { detail: { ...entry.detail, suppressed } };
        await deps.recorder.record({ ...entry, ...detail, decision: 'refused' });
      } catch {
        sort.suppressed += suppressed + 1;
        deps.logger.error('access_record_failed', { action: entry.action, decision: 'refused', reason: entry.reason });
      }
    },
  };
}
