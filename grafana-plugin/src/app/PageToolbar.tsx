/** Time range and refresh, as on a dashboard. Zoom and shift keep the range in the address. */
import { RefreshPicker, TimeRangePicker } from '@grafana/ui';
import { absoluteRange, rawRangeOf } from '../url/time-range.ts';
import type { PageTimeRange } from '../url/useTimeRange.ts';
import { useRepeated } from './useRepeated.ts';

interface PageToolbarProps {
  readonly time: PageTimeRange;
  readonly isLoading: boolean;
  readonly onRefresh: () => void;
}

const INTERVALS = ['10s', '30s', '1m', '5m', '15m'];

export function PageToolbar({ time, isLoading, onRefresh }: PageToolbarProps) {
  const { range, refreshEvery, setRange } = time;
  const fromMs = range.from.valueOf();
  const toMs = range.to.valueOf();
  const span = toMs - fromMs;
  useRepeated(INTERVALS.includes(refreshEvery) ? refreshEvery : undefined, onRefresh);
  return (
    <>
      <TimeRangePicker
        value={range}
        timeZone={time.timeZone}
        isOnCanvas
        onChange={({ raw }) => setRange(rawRangeOf(raw))}
        onChangeTimeZone={time.setTimeZone}
        onMoveBackward={() => setRange(absoluteRange(fromMs - span / 2, toMs - span / 2))}
        onMoveForward={() => setRange(absoluteRange(fromMs + span / 2, toMs + span / 2))}
        onZoom={() => setRange(absoluteRange(fromMs - span / 2, toMs + span / 2))}
      />
      <RefreshPicker
        value={refreshEvery}
        intervals={INTERVALS}
        isOnCanvas
        isLoading={isLoading}
        tooltip="Refresh"
        onRefresh={onRefresh}
        onIntervalChanged={time.setRefreshEvery}
      />
    </>
  );
}
