/** Grey lines of the final height while something loads, so that nothing jumps. */
import { css, keyframes } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';

interface SkeletonProps {
  readonly lines: number;
  /** in theme spacing units */
  readonly lineHeight?: number;
  readonly label?: string;
}

export function Skeleton({ lines, lineHeight = 4, label = 'Loading' }: SkeletonProps) {
  const styles = useStyles2(getStyles, lineHeight);
  return (
    <div role="status" aria-label={label} className={styles.lines}>
      {Array.from({ length: lines }, (_unused, index) => (
        <div key={index} className={styles.line}>
          <div className={styles.bar} />
        </div>
      ))}
    </div>
  );
}

const fade = keyframes({ '50%': { opacity: 0.5 } });

const getStyles = (theme: GrafanaTheme2, lineHeight: number) => ({
  lines: css({ width: '100%' }),
  line: css({ display: 'flex', alignItems: 'center', height: theme.spacing(lineHeight), padding: theme.spacing(0, 1) }),
  bar: css({
    width: '100%',
    height: theme.spacing(1.5),
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.secondary,
    [theme.transitions.handleMotion('no-preference')]: { animation: `${fade} 1.5s ease-in-out infinite` },
  }),
});
