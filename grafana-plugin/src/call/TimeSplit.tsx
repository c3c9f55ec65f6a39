/** How long a call took, as a bar: how much of it waiting for the server, how much in the gateway. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { Call } from '../data/contract.ts';
import { formatDuration } from '../format/numbers.ts';

export function TimeSplit({ call }: { readonly call: Call }) {
  const styles = useStyles2(getStyles);
  const { durationMs, upstreamDurationMs, ttfbMs } = call;
  const upstream = Math.min(upstreamDurationMs, durationMs);
  const share = durationMs === 0 ? 0 : (upstream / durationMs) * 100;
  return (
    <section aria-label="Duration">
      <div className={styles.figures}>
        <strong>{formatDuration(durationMs)}</strong>
        <span className={styles.legend}>
          <i className={styles.gatewayDot} /> gateway {formatDuration(durationMs - upstream)}
        </span>
        <span className={styles.legend}>
          <i className={styles.serverDot} /> server {formatDuration(upstream)}
          {ttfbMs > 0 && `, first byte after ${formatDuration(ttfbMs)}`}
        </span>
      </div>
      <div className={styles.bar}>
        <div className={styles.server} style={{ width: `${share}%` }} />
      </div>
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const gateway = theme.visualization.getColorByName('semi-dark-purple');
  const server = theme.visualization.getColorByName('blue');
  const dot = {
    display: 'inline-block',
    width: theme.spacing(1),
    height: theme.spacing(1),
    borderRadius: theme.shape.radius.circle,
  } as const;
  return {
    figures: css({ display: 'flex', alignItems: 'baseline', gap: theme.spacing(2), marginBottom: theme.spacing(0.5) }),
    legend: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
    gatewayDot: css({ ...dot, background: gateway }),
    serverDot: css({ ...dot, background: server }),
    bar: css({
      height: theme.spacing(1),
      overflow: 'hidden',
      background: gateway,
      borderRadius: theme.shape.radius.pill,
    }),
    server: css({ height: '100%', marginLeft: 'auto', background: server }),
  };
};
