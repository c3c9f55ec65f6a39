/** Says that a page shows the reader's own calls only, and who sees more. Quiet: it is no fault. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';

export function OwnOnlyNotice({ what }: { readonly what: string }) {
  const styles = useStyles2(getStyles);
  return (
    <p className={styles.notice}>
      <Icon name="user" size="sm" />
      {what} Admins see everybody’s, auditors the payloads too.
    </p>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  notice: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(0.75),
    margin: 0,
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
