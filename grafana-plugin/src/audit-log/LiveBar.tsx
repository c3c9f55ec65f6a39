/** What the live view is doing: waiting for calls, paused with some behind, or ended. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import type { Tail } from '../data/useTail.ts';
import { formatCount, plural } from '../format/numbers.ts';

interface LiveBarProps {
  readonly tail: Tail;
  readonly isPaused: boolean;
  readonly onResume: () => void;
}

export function LiveBar({ tail, isPaused, onResume }: LiveBarProps) {
  const styles = useStyles2(getStyles);
  const { buffer, isConnected, failure } = tail;
  const waiting = buffer.waiting.length;
  return (
    <div className={styles.bar} role="status">
      <span className={isConnected ? styles.on : styles.off} />
      {failure !== undefined
        ? failure.message
        : !isConnected
          ? 'Connecting'
          : isPaused
            ? 'Paused while you look'
            : 'Live: new calls come on top'}
      {buffer.skipped > 0 && ` · ${plural(buffer.skipped, 'call')} came too fast to be shown`}
      {waiting > 0 && (
        <Button size="sm" variant="secondary" onClick={onResume}>
          {formatCount(waiting)} new
        </Button>
      )}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const dot = { width: theme.spacing(1), height: theme.spacing(1), borderRadius: theme.shape.radius.circle } as const;
  return {
    bar: css({
      display: 'flex',
      alignItems: 'center',
      gap: theme.spacing(1),
      minHeight: theme.spacing(4),
      color: theme.colors.text.secondary,
      fontSize: theme.typography.bodySmall.fontSize,
    }),
    on: css({ ...dot, background: theme.colors.success.main }),
    off: css({ ...dot, background: theme.colors.text.disabled }),
  };
};
