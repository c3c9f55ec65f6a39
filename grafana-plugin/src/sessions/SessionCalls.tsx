/** The calls of a session in order; requests of servers stand indented under their call. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useMemo } from 'react';
import type { Call } from '../data/contract.ts';
import { OutcomeMark } from '../format/OutcomeMark.tsx';
import { formatBytes, formatDuration } from '../format/numbers.ts';
import { outcomeOf } from '../format/outcomes.ts';
import { callTitle } from '../format/people.ts';
import { formatRowTime } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';

interface SessionCallsProps {
  readonly calls: readonly Call[];
  readonly timeZone: string;
  readonly activeId: string | undefined;
  readonly onOpen: (call: Call) => void;
}

export function SessionCalls({ calls, timeZone, activeId, onOpen }: SessionCallsProps) {
  const styles = useStyles2(getStyles);
  const ids = useMemo(() => new Set(calls.map(({ id }) => id)), [calls]);
  return (
    <ol className={styles.list} aria-label="Calls in order">
      {calls.map((call) => (
        <li key={call.id}>
          <button
            type="button"
            className={cx(styles.item, call.id === activeId && styles.active)}
            onClick={() => onOpen(call)}
          >
            <span>{formatRowTime(call.startedAt, timeZone, 0)}</span>
            <span className={styles.cut}>{call.server}</span>
            <span className={cx(styles.cut, call.parentId !== null && ids.has(call.parentId) && styles.nested)}>
              {visibleText(callTitle(call))}
            </span>
            <OutcomeMark outcome={outcomeOf(call)} />
            <span className={styles.number}>{formatDuration(call.durationMs)}</span>
            <span className={styles.number}>{call.responseBytes === 0 ? '–' : formatBytes(call.responseBytes)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({
    listStyle: 'none',
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  item: css({
    display: 'grid',
    gridTemplateColumns: `${theme.spacing(14)} ${theme.spacing(18)} 1fr ${theme.spacing(17)} ${theme.spacing(11)} ${theme.spacing(11)}`,
    alignItems: 'center',
    gap: theme.spacing(1),
    width: '100%',
    height: theme.spacing(4),
    padding: theme.spacing(0, 1),
    background: 'none',
    border: 'none',
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
    textAlign: 'left',
    '&:hover': { background: theme.colors.background.secondary },
  }),
  active: css({ background: theme.colors.action.selected }),
  cut: css({ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
  nested: css({ paddingLeft: theme.spacing(3) }),
  number: css({ textAlign: 'right' }),
});
