/** Calls over the whole range by outcome. Drag over it to zoom; click a legend entry to filter. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2, useTheme2 } from '@grafana/ui';
import { StackedBars, type Bar } from '../chart/StackedBars.tsx';
import { Legend } from '../chart/Legend.tsx';
import { TimeChart } from '../chart/TimeChart.tsx';
import { valueTicks } from '../chart/scale.ts';
import type { Timeline } from '../data/contract.ts';
import { formatCount, formatDuration, formatShare, formatShort, plural } from '../format/numbers.ts';
import { OUTCOME_ORDER, OUTCOMES, outcomeColor } from '../format/outcomes.ts';
import { formatFull, toMs } from '../format/times.ts';
import { withTerm } from '../url/call-filters.ts';
import { absoluteRange, type RawRange } from '../url/time-range.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';

interface TimelinePanelProps {
  readonly timeline: Timeline;
  readonly timeZone: string;
  readonly onRange: (range: RawRange) => void;
  readonly onFilter: ChangeFilters;
}

export const TIMELINE_PX = 120;
const VALUE_TICKS = 3;

export function TimelinePanel({ timeline, timeZone, onRange, onFilter }: TimelinePanelProps) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const { totals, buckets, bucketSeconds } = timeline;
  const widthMs = bucketSeconds * 1000;
  const bars: Bar[] = buckets.map(({ start, outcomes }) => ({
    startMs: toMs(start),
    endMs: toMs(start) + widthMs,
    parts: OUTCOME_ORDER.map((key) => ({ key, value: outcomes[key] ?? 0, color: outcomeColor(theme, key) })),
  }));
  const highest = Math.max(0, ...buckets.map(({ calls }) => calls));
  const summary = timelineSummary(timeline);
  return (
    <section aria-label="Calls over time" className={styles.panel}>
      <header className={styles.header}>
        <Legend
          label="Outcomes"
          items={OUTCOME_ORDER.filter((key) => (totals.outcomes[key] ?? 0) > 0).map((key) => ({
            key,
            label: OUTCOMES[key].label,
            color: outcomeColor(theme, key),
            figure: formatCount(totals.outcomes[key] ?? 0),
            title: `Only ${OUTCOMES[key].label}`,
            onClick: () => onFilter((now) => withTerm(now, { field: 'outcome', value: key, not: false })),
          }))}
        />
        <span className={styles.figures} data-testid="timeline-figures">
          {summary}
        </span>
      </header>
      <TimeChart
        fromMs={toMs(timeline.from)}
        toMs={toMs(timeline.to)}
        timeZone={timeZone}
        heightPx={TIMELINE_PX}
        ticks={valueTicks(highest, VALUE_TICKS, true)}
        formatValue={formatShort}
        summary={`Calls over time. ${summary}`}
        tooltip={(ms) => <BucketTooltip timeline={timeline} ms={ms} timeZone={timeZone} />}
        onSpan={(fromMs, toMs_) => onRange(absoluteRange(fromMs, toMs_))}
      >
        {(area) => <StackedBars area={area} bars={bars} />}
      </TimeChart>
    </section>
  );
}

function timelineSummary({ totals }: Timeline): string {
  const parts = [plural(totals.calls, 'call')];
  if (totals.requests > 0) parts.push(`${formatShare(totals.errorRate)} failed`);
  if (totals.p95Ms !== null) parts.push(`p95 ${formatDuration(totals.p95Ms)}`);
  return parts.join(' · ');
}

interface BucketTooltipProps {
  readonly timeline: Timeline;
  readonly ms: number;
  readonly timeZone: string;
}

function BucketTooltip({ timeline, ms, timeZone }: BucketTooltipProps) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const bucket = timeline.buckets.find(
    ({ start }) => toMs(start) <= ms && ms < toMs(start) + timeline.bucketSeconds * 1000
  );
  if (bucket === undefined) return null;
  return (
    <>
      <div className={styles.tooltipTime}>{formatFull(bucket.start, timeZone)}</div>
      {OUTCOME_ORDER.filter((key) => (bucket.outcomes[key] ?? 0) > 0).map((key) => (
        <div key={key} className={styles.tooltipLine}>
          <span className={styles.dot} style={{ background: outcomeColor(theme, key) }} />
          {OUTCOMES[key].label}
          <strong>{formatCount(bucket.outcomes[key] ?? 0)}</strong>
        </div>
      ))}
      {bucket.p95Ms !== null && (
        <div className={styles.tooltipLine}>
          p95 <strong>{formatDuration(bucket.p95Ms)}</strong>
        </div>
      )}
      {bucket.calls === 0 && 'no calls'}
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  panel: css({
    padding: theme.spacing(1),
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  header: css({
    display: 'flex',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(2),
    minHeight: theme.spacing(3),
  }),
  figures: css({
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
    whiteSpace: 'nowrap',
  }),
  tooltipTime: css({ marginBottom: theme.spacing(0.5), color: theme.colors.text.secondary }),
  tooltipLine: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    '& strong': { marginLeft: 'auto', fontVariantNumeric: 'tabular-nums' },
  }),
  dot: css({ width: theme.spacing(1), height: theme.spacing(1), borderRadius: theme.shape.radius.circle }),
});
