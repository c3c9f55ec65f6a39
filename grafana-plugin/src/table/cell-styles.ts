/** How cells of every table look that are not plain text. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';

export const getCellStyles = (theme: GrafanaTheme2) => ({
  number: css({ textAlign: 'right !important' as 'right' }),
  quiet: css({ color: theme.colors.text.secondary }),
  bad: css({ color: theme.colors.error.text }),
});
