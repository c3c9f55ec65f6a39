/** The picture of a session: time to the right with pauses folded, a lane for each server, colour by outcome. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { useWidth } from '../chart/useSize.ts';
import type { Call } from '../data/contract.ts';
import { formatDuration } from '../format/numbers.ts';
import { outcomeColor, outcomeOf, OUTCOMES } from '../format/outcomes.ts';
import { callTitle } from '../format/people.ts';
import { formatRowTime } from '../format/times.ts';
import { lanesOf, type LaneBar } from './lanes.ts';
import { foldTime, PAUSE_PX, type FoldedTime } from './time-folds.ts';

interface SessionLanesProps {
  readonly calls: readonly Call[];
  readonly timeZone: string;
  readonly activeId: string | undefined;
  readonly onOpen: (call: Call) => void;
}

const LANE_PX = 34;
const NAME_PX = 140;
const BAR_PX = 14;
const NESTED_PX = 7;
const LEAST_PX = 4;
const AXIS_PX = 18;

export function SessionLanes({ calls, timeZone, activeId, onOpen }: SessionLanesProps) {
  const styles = useStyles2(getStyles);
  const [ref, width] = useWidth<HTMLDivElement>();
  const lanes = useMemo(() => lanesOf(calls), [calls]);
  const plotPx = Math.max(0, width - NAME_PX - 2 * LEAST_PX);
  const time = useMemo(
    () =>
      foldTime(
        lanes.flatMap(({ bars }) => bars),
        plotPx
      ),
    [lanes, plotPx]
  );
  const height = lanes.length * LANE_PX + AXIS_PX;
  const first = lanes.flatMap(({ bars }) => bars)[0];
  return (
    <div ref={ref} className={styles.frame}>
      {width > 0 && (
        <svg width={width} height={height} role="group" aria-label="Calls by server over time">
          {lanes.map(({ server, bars }, index) => (
            <g key={server} transform={`translate(0,${index * LANE_PX})`}>
              <text x={8} y={LANE_PX / 2} dy="0.32em" className={styles.name}>
                {server.length > 18 ? `${server.slice(0, 17)}…` : server}
              </text>
              <line x1={NAME_PX} x2={width} y1={LANE_PX} y2={LANE_PX} className={styles.rule} />
              {bars.map((bar) => (
                <CallBar
                  key={bar.call.id}
                  bar={bar}
                  time={time}
                  timeZone={timeZone}
                  isActive={bar.call.id === activeId}
                  onOpen={onOpen}
                />
              ))}
            </g>
          ))}
          {time.pauses.map(({ startMs, endMs, px }) => (
            <g key={startMs} transform={`translate(${NAME_PX + px},0)`}>
              <rect width={PAUSE_PX} height={height - AXIS_PX} className={styles.pause} />
              <text x={PAUSE_PX / 2} y={height - 4} textAnchor="middle" className={styles.label}>
                {formatDuration(endMs - startMs)}
              </text>
            </g>
          ))}
          {first !== undefined && (
            <text x={NAME_PX} y={height - 4} className={styles.label}>
              {formatRowTime(first.call.startedAt, timeZone, 0)}
            </text>
          )}
        </svg>
      )}
    </div>
  );
}

interface CallBarProps {
  readonly bar: LaneBar;
  readonly time: FoldedTime;
  readonly timeZone: string;
  readonly isActive: boolean;
  readonly onOpen: (call: Call) => void;
}

function CallBar({ bar, time, timeZone, isActive, onOpen }: CallBarProps) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const { call, startMs, endMs, isNested } = bar;
  const outcome = outcomeOf(call);
  const left = NAME_PX + time.x(startMs);
  const title = `${formatRowTime(call.startedAt, timeZone, 0)} ${callTitle(call)}: ${OUTCOMES[outcome].label}, ${formatDuration(call.durationMs)}`;
  return (
    <rect
      role="button"
      tabIndex={-1}
      aria-label={title}
      x={left}
      y={isNested ? 22 : 6}
      width={Math.max(LEAST_PX, NAME_PX + time.x(endMs) - left)}
      height={isNested ? NESTED_PX : BAR_PX}
      rx={2}
      fill={outcomeColor(theme, outcome)}
      className={isActive ? styles.active : styles.bar}
      onClick={() => onOpen(call)}
    >
      <title>{title}</title>
    </rect>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  frame: css({
    padding: theme.spacing(1, 0),
    marginBottom: theme.spacing(1),
    overflow: 'hidden',
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  name: css({ fill: theme.colors.text.primary, fontSize: theme.typography.bodySmall.fontSize }),
  label: css({ fill: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  rule: css({ stroke: theme.colors.border.weak }),
  pause: css({ fill: theme.colors.background.secondary }),
  bar: css({ cursor: 'pointer', '&:hover': { opacity: 0.8 } }),
  active: css({ cursor: 'pointer', stroke: theme.colors.text.maxContrast, strokeWidth: 2 }),
});
