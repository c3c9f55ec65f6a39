/** How long requests took over time: half of them, nineteen in twenty, ninety-nine in a hundred. */
import { useTheme2 } from '@grafana/ui';
import { Legend } from '../chart/Legend.tsx';
import { LineSeries } from '../chart/LineSeries.tsx';
import { TimeChart } from '../chart/TimeChart.tsx';
import { valueTicks } from '../chart/scale.ts';
import type { UsageOverTime } from '../data/contract.ts';
import { useUsageOverTime } from '../data/useUsage.ts';
import { formatDuration } from '../format/numbers.ts';
import { toMs } from '../format/times.ts';
import { absoluteRange } from '../url/time-range.ts';
import { BucketFigures } from './BucketFigures.tsx';
import { CHART_PX, CHART_UNITS } from './CallsPanel.tsx';
import { Panel } from './Panel.tsx';
import type { UsageState } from './useUsageState.ts';

const QUANTILES = [
  { key: 'p50Ms', label: 'p50', color: 'green' },
  { key: 'p95Ms', label: 'p95', color: 'yellow' },
  { key: 'p99Ms', label: 'p99', color: 'orange' },
] as const;
const VALUE_TICKS = 4;

export function DurationPanel({ state }: { readonly state: UsageState }) {
  const usage = useUsageOverTime(state.compared);
  return (
    <Panel title="Duration" query={usage} height={CHART_UNITS}>
      {(data) => <DurationChart data={data} state={state} />}
    </Panel>
  );
}

function DurationChart({ data, state }: { readonly data: UsageOverTime; readonly state: UsageState }) {
  const theme = useTheme2();
  const { timeZone, setRange } = state.time;
  const { buckets } = data;
  const widthMs = data.bucketSeconds * 1000;
  const highest = Math.max(0, ...buckets.map(({ p99Ms }) => p99Ms ?? 0));
  return (
    <>
      <TimeChart
        fromMs={toMs(data.from)}
        toMs={toMs(data.to)}
        timeZone={timeZone}
        heightPx={CHART_PX}
        ticks={valueTicks(highest, VALUE_TICKS, false)}
        formatValue={formatDuration}
        summary={`Duration over time, at most ${formatDuration(highest)} at p99`}
        tooltip={(ms) => (
          <BucketFigures
            buckets={buckets}
            widthMs={widthMs}
            ms={ms}
            timeZone={timeZone}
            lines={(bucket) =>
              QUANTILES.map(({ key, label }) => {
                const value = bucket[key];
                return [label, value === null ? '–' : formatDuration(value)] as const;
              })
            }
          />
        )}
        onSpan={(from, to) => setRange(absoluteRange(from, to))}
      >
        {(area) =>
          QUANTILES.map(({ key, color }) => (
            <LineSeries
              key={key}
              area={area}
              color={theme.visualization.getColorByName(color)}
              points={buckets.map((bucket) => ({ ms: toMs(bucket.start) + widthMs / 2, value: bucket[key] }))}
            />
          ))
        }
      </TimeChart>
      <Legend
        label="Quantiles"
        items={QUANTILES.map(({ key, label, color }) => ({
          key,
          label,
          color: theme.visualization.getColorByName(color),
        }))}
      />
    </>
  );
}
