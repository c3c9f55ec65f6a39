/** Bars of several parts, one on the other, bottom first. */
import type { PlotArea } from './TimeChart.tsx';

export interface Bar {
  readonly startMs: number;
  readonly endMs: number;
  /** bottom first */
  readonly parts: readonly { readonly key: string; readonly value: number; readonly color: string }[];
}

const GAP_PX = 1;

export function StackedBars({ area, bars }: { readonly area: PlotArea; readonly bars: readonly Bar[] }) {
  return bars.map(({ startMs, endMs, parts }) => {
    const left = Math.max(0, area.x(startMs));
    const right = Math.min(area.width, area.x(endMs));
    let below = 0;
    return parts.map(({ key, value, color }) => {
      if (value === 0 || right <= left) return null;
      const top = area.y(below + value);
      // one failed call among thousands is still to be seen
      const height = Math.max(1, area.y(below) - top);
      below += value;
      return (
        <rect
          key={`${startMs} ${key}`}
          x={left}
          y={top}
          width={Math.max(1, right - left - GAP_PX)}
          height={height}
          fill={color}
        />
      );
    });
  });
}
