/** An outcome as shape and word. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2, useTheme2 } from '@grafana/ui';
import { OUTCOMES, outcomeColor, type Outcome } from './outcomes.ts';

export function OutcomeMark({ outcome }: { readonly outcome: Outcome }) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const { icon, label } = OUTCOMES[outcome];
  return (
    <span className={styles.mark}>
      <Icon name={icon} size="sm" style={{ color: outcomeColor(theme, outcome) }} aria-hidden />
      {label}
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  mark: css({ display: 'inline-flex', alignItems: 'center', gap: theme.spacing(0.75), whiteSpace: 'nowrap' }),
});
