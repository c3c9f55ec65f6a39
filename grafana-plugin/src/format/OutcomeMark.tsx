/** An outcome as shape and word. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2, useTheme2 } from '@grafana/ui';
import { OUTCOMES, outcomeColor, type Outcome } from './outcomes.ts';

interface OutcomeProps {
  readonly outcome: Outcome;
}

export function OutcomeMark({ outcome }: OutcomeProps) {
  const styles = useStyles2(getStyles);
  return (
    <span className={styles.mark}>
      <OutcomeShape outcome={outcome} />
      {OUTCOMES[outcome].label}
    </span>
  );
}

/** Drawn here and no Icon of Grafana: that one parses its file again in every row that scrolls by. */
export function OutcomeShape({ outcome }: OutcomeProps) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  return (
    <svg viewBox="0 0 24 24" className={styles.shape} stroke={outcomeColor(theme, outcome)} aria-hidden>
      <path d={OUTCOMES[outcome].shape} />
    </svg>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  mark: css({ display: 'inline-flex', alignItems: 'center', gap: theme.spacing(0.75), whiteSpace: 'nowrap' }),
  shape: css({
    flexShrink: 0,
    width: theme.spacing(1.75),
    height: theme.spacing(1.75),
    fill: 'none',
    strokeWidth: 2,
    strokeLinecap: 'round',
    strokeLinejoin: 'round',
  }),
});
