/**
 * Writes the made-up past the way real calls are written: the same observer, seals, chain and spool, but by a clock that
 * is set by hand, and stamped `demo`, so that no query for real calls shows it. Runs before the gateway, on its spool;
 * the gateway ships it. Mirrors get nothing of it.
 */
import { createRecordingObserver } from '../../assembly/observer.ts';
import { openRecorder } from '../../assembly/recorder.ts';
import type { GatelensConfig } from '../../config.ts';
import type { Logger } from '../../logger.ts';
import { loadKeyring } from '../../protection/keyring.ts';
import { createPseudonyms } from '../../protection/pseudonyms.ts';
import type { TelemetryCallObserver } from '../../telemetry/call-observer.ts';
import type { Pseudonyms } from '../../protection/seams.ts';
import { HistoryDays, pastDays } from './history-days.ts';
import { PastClock } from './past-clock.ts';
import { planDay } from './plan-day.ts';
import { callerOf, recordOf } from './record-of.ts';

export interface AddHistoryOptions {
  readonly config: GatelensConfig;
  readonly days: number;
  readonly now: Date;
  readonly logger: Logger;
  readonly version: string;
  /** called after each day */
  readonly onDay: (day: string, rowsSoFar: number) => void;
  /** asked now and then; true ends it after what is under way */
  readonly stopped: () => boolean;
}

export interface AddedHistory {
  readonly fromDay: string;
  readonly toDay: string;
  readonly fromMs: number;
  /** exclusive */
  readonly toMs: number;
  /** rows that were added now */
  readonly rowsAdded: number;
  /** records of kind `request` in all of these days, added now or before */
  readonly requests: number;
  /** of the keys that may have been made */
  readonly warnings: readonly string[];
}

/** Calls that wait for the disk together. */
const GROUP = 200;
const DAY_MS = 86_400_000;

/** @throws GatelensError of keys and spool: `data_dir_locked`, `data_dir_unusable`, `audit_unavailable` */
export async function addHistory(options: AddHistoryOptions): Promise<AddedHistory> {
  const { config, logger, version } = options;
  const { dataDir, encryption } = config;
  const keyring = loadKeyring({ dataDir, ...(encryption === undefined ? {} : { encryption }) });
  const pseudonyms = createPseudonyms(keyring.pseudonymSecret);
  const recorder = await openRecorder({
    component: 'gateway',
    config: { ...config, otlp: { ...config.otlp, mirrors: [] } },
    keyring,
    logger,
    version,
  });
  const days = pastDays(options.now, options.days);
  const fromMs = Date.parse(days[0] ?? '');
  let rowsAdded = 0;
  let requests = 0;
  try {
    const written = new HistoryDays(dataDir);
    const clock = new PastClock(fromMs);
    const observer = createRecordingObserver({
      config: { ...config, audit: { durability: 'before-reply', onFailure: 'refuse' } },
      keyring,
      pseudonyms,
      recorder,
      logger,
      clock,
      demo: true,
    });
    for (const day of days) {
      if (options.stopped()) break;
      const calls = planDay(day);
      requests += calls.filter(({ kind }) => kind === 'request').length;
      if (written.has(day)) continue;
      await writeCalls(calls, observer, clock, pseudonyms);
      written.add(day);
      rowsAdded += calls.length;
      options.onDay(day, rowsAdded);
    }
  } finally {
    await recorder.close(0);
  }
  return {
    fromDay: days[0] ?? '',
    toDay: days.at(-1) ?? '',
    fromMs,
    toMs: fromMs + options.days * DAY_MS,
    rowsAdded,
    requests,
    warnings: keyring.warnings,
  };
}

async function writeCalls(
  calls: ReturnType<typeof planDay>,
  observer: TelemetryCallObserver,
  clock: PastClock,
  pseudonyms: Pseudonyms
): Promise<void> {
  for (let next = 0; next < calls.length; next += GROUP) {
    const kept: Promise<void>[] = [];
    for (const call of calls.slice(next, next + GROUP)) {
      const caller = callerOf(call.person, pseudonyms);
      observer.rememberPrincipal(caller);
      const { start, end } = recordOf(call, caller);
      clock.set(call.startMs);
      const observation = observer.begin(start);
      if (call.kind !== 'attempt') observation.upstreamStarted();
      clock.set(call.startMs + call.durationMs);
      kept.push(observation.intent(), observation.end(end));
    }
    await Promise.all(kept);
  }
}
