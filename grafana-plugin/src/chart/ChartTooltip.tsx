/** The box at the pointer, on whichever side there is room. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { ReactNode } from 'react';

const GAP_PX = 12;

interface ChartTooltipProps {
  readonly leftPx: number;
  readonly fullWidthPx: number;
  readonly children: ReactNode;
}

export function ChartTooltip({ leftPx, fullWidthPx, children }: ChartTooltipProps) {
  const styles = useStyles2(getStyles);
  if (children === null || children === undefined) return null;
  const place = leftPx < fullWidthPx / 2 ? { left: leftPx + GAP_PX } : { right: fullWidthPx - leftPx + GAP_PX };
  return (
    <div className={styles.tooltip} style={place} aria-hidden>
      {children}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  tooltip: css({
    position: 'absolute',
    top: theme.spacing(1),
    zIndex: theme.zIndex.tooltip,
    padding: theme.spacing(1),
    minWidth: theme.spacing(20),
    color: theme.colors.text.primary,
    fontSize: theme.typography.bodySmall.fontSize,
    background: theme.colors.background.elevated,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    boxShadow: theme.shadows.z2,
    pointerEvents: 'none',
  }),
});
