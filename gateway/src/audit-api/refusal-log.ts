/**
 * Records refusals in the access log without letting whoever is refused fill the disk: so many a minute of each sort and
 * each known person, then they are counted, and the count goes into the next record or into one of its own once the
 * minute is over. One person's flood hides nobody else's refusals. A refusal is a refusal whether it could be recorded
 * or not; a record that failed is reported in our own log.
 */
import type { AccessEntry, AccessReason, AccessRecorder } from '../record/access.ts';
import type { Logger } from '../logger.ts';
import type { ApiClock } from './clock.ts';

export const MINUTE_MS = 60_000;
export const REFUSALS_A_MINUTE = 20;

type Refusal = Omit<AccessEntry, 'decision'> & { readonly reason: AccessReason };

export interface RefusalLog {
  /** Resolves when the refusal is recorded, counted or reported; never rejects. */
  refused(entry: Refusal): Promise<void>;
  /** Records what was only counted in minutes that are over; `all`: in the running one too. Never rejects. */
  settle(options?: { readonly all: boolean }): Promise<void>;
}

interface Sort {
  /** who and what, without what was asked for */
  readonly about: Refusal;
  minute: number;
  recorded: number;
  suppressed: number;
}

export function createRefusalLog(deps: {
  readonly recorder: AccessRecorder;
  readonly clock: ApiClock;
  readonly logger: Logger;
}): RefusalLog {
  // bounded: keys are our own words, names of configured tokens and people whom somebody vouches for; nothing that a
  // stranger sent. Those of past minutes go in settle().
  const sorts = new Map<string, Sort>();
  const thisMinute = (): number => Math.floor(deps.clock.monotonicMs() / MINUTE_MS);

  const record = async (sort: Sort, entry: Refusal): Promise<void> => {
    const { suppressed } = sort;
    sort.suppressed = 0;
    try {
      const detail = suppressed === 0 ? {} : { detail: { ...entry.detail, suppressed } };
      await deps.recorder.record({ ...entry, ...detail, decision: 'refused' });
    } catch {
      sort.suppressed += suppressed + (entry === sort.about ? 0 : 1);
      deps.logger.error('access_record_failed', { action: entry.action, decision: 'refused', reason: entry.reason });
    }
  };

  return {
    async refused(entry) {
      const key = JSON.stringify([entry.action, entry.reason, entry.actorKind, entry.actorName ?? '', entry.actorKey]);
      const minute = thisMinute();
      const sort = sorts.get(key) ?? { about: aboutOf(entry), minute, recorded: 0, suppressed: 0 };
      sorts.set(key, sort);
      if (sort.minute !== minute) Object.assign(sort, { minute, recorded: 0 });
      if (sort.recorded >= REFUSALS_A_MINUTE) {
        sort.suppressed += 1;
        return;
      }
      sort.recorded += 1;
      await record(sort, entry);
    },
    async settle({ all } = { all: false }) {
      const minute = thisMinute();
      const over = [...sorts].filter(([, sort]) => all || sort.minute !== minute);
      await Promise.all(over.filter(([, sort]) => sort.suppressed > 0).map(([, sort]) => record(sort, sort.about)));
      for (const [key, sort] of over) if (sort.suppressed === 0 && sort.minute !== minute) sorts.delete(key);
    },
  };
}

function aboutOf({ action, reason, actorKey, actorKind, actorName, actorPrincipal, roles }: Refusal): Refusal {
  return {
    action,
    reason,
    actorKey,
    actorKind,
    ...(actorName === undefined ? {} : { actorName }),
    ...(actorPrincipal === undefined ? {} : { actorPrincipal }),
    roles,
  };
}
