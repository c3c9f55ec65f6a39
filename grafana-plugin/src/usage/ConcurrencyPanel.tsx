/** How many requests ran at the same time: what a server has to bear. */
import { useTheme2 } from '@grafana/ui';
import { LineSeries } from '../chart/LineSeries.tsx';
import { TimeChart } from '../chart/TimeChart.tsx';
import { valueTicks } from '../chart/scale.ts';
import type { Concurrency } from '../data/contract.ts';
import { useConcurrency } from '../data/useUsage.ts';
import { formatCount, formatShort, plural } from '../format/numbers.ts';
import { formatMinute, toMs } from '../format/times.ts';
import { absoluteRange } from '../url/time-range.ts';
import { BucketFigures } from './BucketFigures.tsx';
import { Panel } from './Panel.tsx';
import type { UsageState } from './useUsageState.ts';

const CHART_PX = 130;
const CHART_UNITS = 19;
const VALUE_TICKS = 3;

export function ConcurrencyPanel({ state }: { readonly state: UsageState }) {
  const concurrency = useConcurrency(state.query);
  return (
    <Panel title="Requests at the same time" query={concurrency} height={CHART_UNITS}>
      {(data) => <ConcurrencyChart data={data} state={state} />}
    </Panel>
  );
}

function ConcurrencyChart({ data, state }: { readonly data: Concurrency; readonly state: UsageState }) {
  const theme = useTheme2();
  const { timeZone, setRange } = state.time;
  const widthMs = data.bucketSeconds * 1000;
  const said = summaryOf(data, timeZone);
  return (
    <>
      <p>{said}</p>
      <TimeChart
        fromMs={toMs(data.from)}
        toMs={toMs(data.to)}
        timeZone={timeZone}
        heightPx={CHART_PX}
        ticks={valueTicks(data.peak?.parallel ?? 0, VALUE_TICKS, true)}
        formatValue={formatShort}
        summary={said}
        tooltip={(ms) => (
          <BucketFigures
            buckets={data.buckets}
            widthMs={widthMs}
            ms={ms}
            timeZone={timeZone}
            lines={({ parallel }) => [['at most', formatCount(parallel)]]}
          />
        )}
        onSpan={(from, to) => setRange(absoluteRange(from, to))}
      >
        {(area) => (
          <LineSeries
            area={area}
            color={theme.visualization.getColorByName('blue')}
            points={data.buckets.map(({ start, parallel }) => ({ ms: toMs(start) + widthMs / 2, value: parallel }))}
          />
        )}
      </TimeChart>
    </>
  );
}

function summaryOf({ peak, busiestMinute, servers }: Concurrency, timeZone: string): string {
  if (peak === null) return 'There were no requests.';
  const parts = [`At most ${formatCount(peak.parallel)} at once, around ${formatMinute(peak.start, timeZone)}`];
  if (busiestMinute !== null) parts.push(`${plural(busiestMinute.calls, 'request')} in the busiest minute`);
  const [busiest] = servers;
  if (busiest !== undefined) parts.push(`${busiest.server} had up to ${formatCount(busiest.parallel)}`);
  return `${parts.join('; ')}.`;
}
