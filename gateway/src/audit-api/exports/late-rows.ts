/**
 * Rows that come after their window was made: found by their positions in the chains, and put into a run of their own, a
 * supplement. A row that is delivered again stands where it stood, so it is no news. Makes no file.
 */
import type { ExportSource } from '../../exports/export-plan.ts';
import type { SeqRange } from '../../store/queries/export-rows.ts';
import { lateRows, positionsOf, positionsWithout } from '../../store/queries/export-windows.ts';
import type { ApiClock } from '../clock.ts';
import type { ExportRuns } from '../state/export-runs.ts';
import type { ExportSchedules } from '../state/export-schedules.ts';
import type { Visibility } from '../visibility.ts';

export interface LateRowsDeps {
  readonly schedules: ExportSchedules;
  readonly runs: ExportRuns;
  readonly source: ExportSource;
  readonly clock: ApiClock;
}

const NS_PER_MS = 1_000_000n;
/** How long rows that come late are looked for. */
const LATE_MS = 7 * 86_400_000;
/** The clocks of store and audit API may differ by as much. */
const LATE_SLACK_MS = 600_000;

export async function lookForLateRows(
  { schedules, runs, source, clock }: LateRowsDeps,
  scheduleId: string,
  visibility: Visibility
): Promise<void> {
  const schedule = schedules.find(scheduleId);
  if (schedule === undefined) return;
  const startedMs = clock.wallMs();
  const floor = BigInt(startedMs - LATE_MS) * NS_PER_MS;
  const known = runs.closedSince(scheduleId, floor);
  const windows = known.filter(({ supplement }) => supplement === 0);
  const [first] = windows;
  if (first === undefined) return;
  const since = schedule.lateCheckedMs === 0 ? 0 : schedule.lateCheckedMs - LATE_SLACK_MS;
  const found = await lateRows(source.reader, visibility, { fromNs: first.fromNs, toNs: schedule.closedTo }, since);
  for (const window of found === undefined ? [] : windows) {
    if (found === undefined || window.toNs <= found.fromNs || window.fromNs >= found.toNs) continue;
    const exported = rangesOf(window.positions);
    const late = positionsWithout(await positionsOf(source.reader, visibility, window), exported);
    if (late.length === 0) continue;
    const { owner, content, name } = schedule;
    const number = known.filter(({ supplement, fromNs }) => supplement > 0 && fromNs === window.fromNs).length + 1;
    schedules.together(() => {
      const added = runs.add({
        kind: 'scheduled',
        scheduleId,
        scheduleName: name,
        owner,
        request: content.request,
        fromNs: window.fromNs,
        toNs: window.toNs,
        supplement: number,
      });
      runs.change(added.id, { positions: rangesText(late) });
      runs.change(window.id, { positions: rangesText([...exported, ...late]) });
    });
  }
  schedules.lateChecked(scheduleId, startedMs);
}

export const rangesText = (ranges: readonly SeqRange[]): string =>
  JSON.stringify(ranges.map(({ chainId, fromSeq, toSeq }) => [chainId, `${fromSeq}`, `${toSeq}`]));

/** In order, as they are compared. */
export function rangesOf(text: string): SeqRange[] {
  if (text === '') return [];
  return (JSON.parse(text) as [string, string, string][])
    .map(([chainId, from, to]) => ({ chainId, fromSeq: BigInt(from), toSeq: BigInt(to) }))
    .sort((a, b) => (a.chainId === b.chainId ? (a.fromSeq < b.fromSeq ? -1 : 1) : a.chainId < b.chainId ? -1 : 1));
}
