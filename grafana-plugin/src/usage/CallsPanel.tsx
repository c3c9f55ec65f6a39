/** Requests over time by outcome, the period before as a line. */
import { useTheme2 } from '@grafana/ui';
import { Legend } from '../chart/Legend.tsx';
import { LineSeries } from '../chart/LineSeries.tsx';
import { StackedBars } from '../chart/StackedBars.tsx';
import { TimeChart } from '../chart/TimeChart.tsx';
import { valueTicks } from '../chart/scale.ts';
import type { UsageBucket, UsageOverTime } from '../data/contract.ts';
import { useUsageOverTime } from '../data/useUsage.ts';
import { formatCount, formatShort, plural } from '../format/numbers.ts';
import { OUTCOME_ORDER, OUTCOMES, outcomeColor } from '../format/outcomes.ts';
import { toMs } from '../format/times.ts';
import { absoluteRange } from '../url/time-range.ts';
import { BucketFigures } from './BucketFigures.tsx';
import { Panel } from './Panel.tsx';
import type { UsageState } from './useUsageState.ts';

export const CHART_PX = 180;
export const CHART_UNITS = 25;
const VALUE_TICKS = 4;

export function CallsPanel({ state }: { readonly state: UsageState }) {
  const usage = useUsageOverTime(state.compared);
  return (
    <Panel title="Calls over time" query={usage} height={CHART_UNITS}>
      {(data) => <CallsChart data={data} state={state} />}
    </Panel>
  );
}

function CallsChart({ data, state }: { readonly data: UsageOverTime; readonly state: UsageState }) {
  const theme = useTheme2();
  const { timeZone, setRange } = state.time;
  const { buckets, previous } = data;
  const widthMs = data.bucketSeconds * 1000;
  const highest = Math.max(0, ...buckets.map(({ calls }) => calls), ...(previous ?? []).map(({ calls }) => calls));
  const present = OUTCOME_ORDER.filter((key) => buckets.some(({ outcomes }) => (outcomes[key] ?? 0) > 0));
  const total = buckets.reduce((sum, { calls }) => sum + calls, 0);
  return (
    <>
      <TimeChart
        fromMs={toMs(data.from)}
        toMs={toMs(data.to)}
        timeZone={timeZone}
        heightPx={CHART_PX}
        ticks={valueTicks(highest, VALUE_TICKS, true)}
        formatValue={formatShort}
        summary={`Calls over time: ${plural(total, 'call')}`}
        tooltip={(ms) => (
          <BucketFigures
            buckets={buckets}
            widthMs={widthMs}
            ms={ms}
            timeZone={timeZone}
            lines={(bucket, index) => callLines(bucket, previous?.[index])}
          />
        )}
        onSpan={(from, to) => setRange(absoluteRange(from, to))}
      >
        {(area) => (
          <>
            <StackedBars
              area={area}
              bars={buckets.map(({ start, outcomes }) => ({
                startMs: toMs(start),
                endMs: toMs(start) + widthMs,
                parts: OUTCOME_ORDER.map((key) => ({
                  key,
                  value: outcomes[key] ?? 0,
                  color: outcomeColor(theme, key),
                })),
              }))}
            />
            {previous !== null && (
              <LineSeries
                area={area}
                dashed
                color={theme.colors.text.primary}
                points={buckets.map(({ start }, index) => ({
                  ms: toMs(start) + widthMs / 2,
                  value: previous[index]?.calls ?? null,
                }))}
              />
            )}
          </>
        )}
      </TimeChart>
      <Legend
        label="Outcomes"
        items={[
          ...present.map((key) => ({ key, label: OUTCOMES[key].label, color: outcomeColor(theme, key) })),
          ...(previous === null
            ? []
            : [{ key: 'previous', label: 'previous period', color: theme.colors.text.primary, dashed: true }]),
        ]}
      />
    </>
  );
}

function callLines(bucket: UsageBucket, before: UsageBucket | undefined) {
  const outcomes = OUTCOME_ORDER.filter((key) => (bucket.outcomes[key] ?? 0) > 0).map(
    (key) => [OUTCOMES[key].label, formatCount(bucket.outcomes[key] ?? 0)] as const
  );
  return [
    ...outcomes,
    ['all', formatCount(bucket.calls)] as const,
    ...(before === undefined ? [] : [['previous period', formatCount(before.calls)] as const]),
  ];
}
