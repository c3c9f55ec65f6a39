/** A line over time; where a value is missing the line has a gap. */
import type { PlotArea } from './TimeChart.tsx';

export interface LinePoint {
  readonly ms: number;
  readonly value: number | null;
}

interface LineSeriesProps {
  readonly area: PlotArea;
  readonly points: readonly LinePoint[];
  readonly color: string;
  readonly dashed?: boolean;
}

export function LineSeries({ area, points, color, dashed = false }: LineSeriesProps) {
  const lonely = points.filter(
    ({ value }, index) => value !== null && isMissing(points[index - 1]?.value) && isMissing(points[index + 1]?.value)
  );
  return (
    <g>
      <path
        d={pathOf(area, points)}
        fill="none"
        stroke={color}
        strokeWidth={dashed ? 1 : 1.5}
        strokeDasharray={dashed ? '4 3' : undefined}
        strokeLinejoin="round"
      />
      {lonely.map(({ ms, value }) => (
        <circle key={ms} cx={area.x(ms)} cy={area.y(value ?? 0)} r={2} fill={color} />
      ))}
    </g>
  );
}

function isMissing(value: number | null | undefined): boolean {
  return value === null || value === undefined;
}

function pathOf({ x, y }: PlotArea, points: readonly LinePoint[]): string {
  let isDown = false;
  return points
    .map(({ ms, value }) => {
      if (value === null) {
        isDown = false;
        return '';
      }
      const step = `${isDown ? 'L' : 'M'}${x(ms).toFixed(1)},${y(value).toFixed(1)}`;
      isDown = true;
      return step;
    })
    .join('');
}
