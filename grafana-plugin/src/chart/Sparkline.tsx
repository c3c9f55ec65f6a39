/** How something went, in the space of a word. The figure beside it is what counts; this is decoration for ears. */
import { useTheme2 } from '@grafana/ui';

interface SparklineProps {
  readonly values: readonly number[];
}

const WIDTH_PX = 54;
const HEIGHT_PX = 18;

export function Sparkline({ values }: SparklineProps) {
  const theme = useTheme2();
  const highest = Math.max(...values, 1);
  const step = WIDTH_PX / Math.max(values.length, 1);
  return (
    <svg width={WIDTH_PX} height={HEIGHT_PX} aria-hidden>
      {values.map((value, index) => {
        const height = value === 0 ? 0 : Math.max(1, (value / highest) * HEIGHT_PX);
        return (
          <rect
            key={index}
            x={index * step}
            y={HEIGHT_PX - height}
            width={Math.max(1, step - 0.5)}
            height={height}
            fill={theme.visualization.getColorByName('blue')}
          />
        );
      })}
    </svg>
  );
}
