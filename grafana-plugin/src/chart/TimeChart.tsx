/**
 * The frame of a chart over time: axes, grid, a tooltip at the pointer, and a span to zoom into. What is drawn inside
 * comes from outside. The values are in the tooltip and in the tables beside it; screen readers get the summary.
 */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useState, type ReactNode } from 'react';
import { formatTick } from '../format/times.ts';
import { ChartTooltip } from './ChartTooltip.tsx';
import { linear, timeTicks } from './scale.ts';
import { useBrush } from './useBrush.ts';
import { useWidth } from './useSize.ts';

export interface PlotArea {
  /** pixels of an instant */
  x(ms: number): number;
  /** pixels of a value */
  y(value: number): number;
  readonly width: number;
  readonly height: number;
}

export interface TimeChartProps {
  readonly fromMs: number;
  readonly toMs: number;
  readonly timeZone: string;
  readonly heightPx: number;
  readonly ticks: readonly number[];
  readonly formatValue: (value: number) => string;
  /** what a screen reader says */
  readonly summary: string;
  /** @returns what the tooltip says at an instant, or nothing */
  readonly tooltip: (ms: number) => ReactNode;
  readonly onSpan?: (fromMs: number, toMs: number) => void;
  readonly children: (area: PlotArea) => ReactNode;
}

const AXIS_LEFT_PX = 56;
const AXIS_BOTTOM_PX = 20;
const TOP_PX = 6;
const RIGHT_PX = 8;

export function TimeChart(props: TimeChartProps) {
  const { fromMs, toMs, timeZone, heightPx, ticks, formatValue, summary, tooltip, onSpan, children } = props;
  const styles = useStyles2(getStyles);
  const [ref, fullWidth] = useWidth<HTMLDivElement>();
  const [hoverPx, setHoverPx] = useState<number>();
  const width = Math.max(0, fullWidth - AXIS_LEFT_PX - RIGHT_PX);
  const height = heightPx - AXIS_BOTTOM_PX - TOP_PX;
  const x = linear(fromMs, toMs, 0, width);
  const y = linear(0, ticks.at(-1) ?? 1, height, 0);
  const toTime = linear(0, width, fromMs, toMs);
  const brush = useBrush((from, to) => onSpan?.(toTime(from), toTime(to)));
  const times = timeTicks(fromMs, toMs, width, timeZone);
  return (
    <div ref={ref} className={styles.chart} style={{ height: heightPx }}>
      {width > 0 && (
        <svg width={fullWidth} height={heightPx} role="img" aria-label={summary}>
          <g transform={`translate(${AXIS_LEFT_PX},${TOP_PX})`}>
            {ticks.map((tick) => (
              <g key={tick} transform={`translate(0,${y(tick)})`}>
                <line x2={width} className={styles.grid} />
                <text x={-8} dy="0.32em" textAnchor="end" className={styles.label}>
                  {formatValue(tick)}
                </text>
              </g>
            ))}
            {times.at.map((tick) => (
              <text key={tick} x={x(tick)} y={height + 16} textAnchor="middle" className={styles.label}>
                {formatTick(tick, timeZone, times.stepMs)}
              </text>
            ))}
            {children({ x, y, width, height })}
            {hoverPx !== undefined && <line x1={hoverPx} x2={hoverPx} y2={height} className={styles.cross} />}
            {brush.span !== undefined && (
              <rect x={brush.span[0]} width={brush.span[1] - brush.span[0]} height={height} className={styles.span} />
            )}
            <rect
              width={width}
              height={height}
              className={onSpan === undefined ? styles.still : styles.brush}
              onPointerLeave={() => setHoverPx(undefined)}
              {...brush.handlers}
              onPointerMove={(event) => {
                brush.handlers.onPointerMove(event);
                setHoverPx(event.clientX - event.currentTarget.getBoundingClientRect().left);
              }}
            />
          </g>
        </svg>
      )}
      {hoverPx !== undefined && (
        <ChartTooltip leftPx={AXIS_LEFT_PX + hoverPx} fullWidthPx={fullWidth}>
          {tooltip(toTime(hoverPx))}
        </ChartTooltip>
      )}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  chart: css({ position: 'relative', width: '100%' }),
  grid: css({ stroke: theme.colors.border.weak }),
  label: css({ fill: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  cross: css({ stroke: theme.colors.border.strong, strokeDasharray: '3 3', pointerEvents: 'none' }),
  span: css({ fill: theme.colors.action.selected, stroke: theme.colors.border.strong, pointerEvents: 'none' }),
  brush: css({ fill: 'transparent', cursor: 'crosshair', touchAction: 'none' }),
  still: css({ fill: 'transparent' }),
});
