/** What a chart's tooltip says about one bucket of time. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { formatFull, toMs } from '../format/times.ts';

interface BucketFiguresProps<Bucket extends { readonly start: string }> {
  readonly buckets: readonly Bucket[];
  readonly widthMs: number;
  readonly ms: number;
  readonly timeZone: string;
  readonly lines: (bucket: Bucket, index: number) => readonly (readonly [label: string, figure: string])[];
}

export function BucketFigures<Bucket extends { readonly start: string }>(props: BucketFiguresProps<Bucket>) {
  const styles = useStyles2(getStyles);
  const { buckets, widthMs, ms, timeZone, lines } = props;
  const index = buckets.findIndex(({ start }) => toMs(start) <= ms && ms < toMs(start) + widthMs);
  const bucket = buckets[index];
  if (bucket === undefined) return null;
  return (
    <>
      <div className={styles.time}>{formatFull(bucket.start, timeZone)}</div>
      {lines(bucket, index).map(([label, figure]) => (
        <div key={label} className={styles.line}>
          {label}
          <strong>{figure}</strong>
        </div>
      ))}
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  time: css({ marginBottom: theme.spacing(0.5), color: theme.colors.text.secondary }),
  line: css({
    display: 'flex',
    justifyContent: 'space-between',
    gap: theme.spacing(2),
    '& strong': { fontVariantNumeric: 'tabular-nums' },
  }),
});
