/**
 * The frame and look of every table but the audit log's, which draws its rows by itself. Scrolls by keyboard too. In a
 * panel, which has a frame already, it is limited in height and its head stays in sight.
 */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { ReactNode } from 'react';

interface TableFrameProps {
  readonly label: string;
  readonly testId?: string;
  /** of cells that are too long; else they are cut */
  readonly isWrapped?: boolean;
  readonly isInPanel?: boolean;
  /** below the table */
  readonly note?: ReactNode;
  /** thead and tbody */
  readonly children: ReactNode;
}

export function TableFrame({ label, testId, isWrapped, isInPanel, note, children }: TableFrameProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={isInPanel === true ? styles.inPanel : styles.frame} tabIndex={0} role="region" aria-label={label}>
      <table className={cx(styles.table, isWrapped === true ? styles.wrapped : styles.cut)} data-testid={testId}>
        {children}
      </table>
      {note}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  frame: css({
    margin: theme.spacing(1, 0),
    overflow: 'auto',
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    '& th': { background: theme.colors.background.secondary },
  }),
  inPanel: css({
    maxHeight: theme.spacing(44),
    overflow: 'auto',
    '& th': {
      position: 'sticky',
      top: 0,
      zIndex: 1,
      background: theme.colors.background.primary,
    },
  }),
  table: css({
    width: '100%',
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
    '& th': {
      height: theme.spacing(4),
      padding: theme.spacing(0, 1),
      boxShadow: `inset 0 -1px 0 ${theme.colors.border.weak}`,
      color: theme.colors.text.secondary,
      fontWeight: theme.typography.fontWeightMedium,
      textAlign: 'left',
      whiteSpace: 'nowrap',
    },
    '& td': {
      height: theme.spacing(4),
      maxWidth: theme.spacing(32),
      padding: theme.spacing(0, 1),
    },
    '& tbody tr + tr td': { borderTop: `1px solid ${theme.colors.border.weak}` },
    '& tbody tr:hover': { background: theme.colors.background.secondary },
  }),
  cut: css({
    '& td': {
      overflow: 'hidden',
      textOverflow: 'ellipsis',
      whiteSpace: 'nowrap',
      [theme.breakpoints.down('xxl')]: { maxWidth: theme.spacing(21) },
    },
  }),
  wrapped: css({
    '& td': {
      maxWidth: theme.spacing(40),
      padding: theme.spacing(0.5, 1),
      verticalAlign: 'middle',
      overflowWrap: 'anywhere',
    },
  }),
});
