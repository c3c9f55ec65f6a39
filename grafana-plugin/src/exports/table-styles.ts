/** The look of a table of exports, as that of the access log. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';

export const getTableStyles = (theme: GrafanaTheme2) => ({
  frame: css({
    margin: theme.spacing(1, 0),
    overflow: 'auto',
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  table: css({
    width: '100%',
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
    '& th': {
      height: theme.spacing(4),
      padding: theme.spacing(0, 1),
      background: theme.colors.background.secondary,
      color: theme.colors.text.secondary,
      fontWeight: theme.typography.fontWeightMedium,
      textAlign: 'left',
      whiteSpace: 'nowrap',
    },
    '& td': {
      height: theme.spacing(4),
      maxWidth: theme.spacing(40),
      padding: theme.spacing(0.5, 1),
      borderTop: `1px solid ${theme.colors.border.weak}`,
      verticalAlign: 'middle',
      overflowWrap: 'anywhere',
    },
    '& tbody tr:hover': { background: theme.colors.action.hover },
  }),
  quiet: css({ color: theme.colors.text.secondary }),
  bad: css({ color: theme.colors.error.text }),
});
