/** A call that holds the text: which, and where. What stands around the text is payload, shown as text only. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { SearchMatch } from '../data/contract.ts';
import { OutcomeMark } from '../format/OutcomeMark.tsx';
import { outcomeOf } from '../format/outcomes.ts';
import { callerName, callTitle } from '../format/people.ts';
import { formatFull } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';

interface FoundCallProps {
  readonly match: SearchMatch;
  readonly timeZone: string;
  readonly onOpen: (callId: string, direction: 'request' | 'response') => void;
}

export function FoundCall({ match: { call, hits }, timeZone, onOpen }: FoundCallProps) {
  const styles = useStyles2(getStyles);
  return (
    <li className={styles.item}>
      <button type="button" className={styles.open} onClick={() => onOpen(call.id, hits[0]?.direction ?? 'request')}>
        <span className={styles.title}>{visibleText(callTitle(call))}</span>
        <OutcomeMark outcome={outcomeOf(call)} />
        <span className={styles.quiet}>
          {formatFull(call.startedAt, timeZone)} · {visibleText(callerName(call))} · {visibleText(call.server)}
        </span>
      </button>
      {hits.map(({ direction, place, count, snippet }) => (
        <p key={`${direction} ${place}`} className={styles.hit}>
          <span className={styles.quiet}>
            {direction}, {place}
            {count > 1 && `, ${count} times`}:
          </span>{' '}
          <code className={styles.snippet}>{visibleText(snippet)}</code>
        </p>
      ))}
    </li>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  item: css({
    padding: theme.spacing(1, 0),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    listStyle: 'none',
  }),
  open: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(0, 1.5),
    padding: 0,
    background: 'none',
    border: 'none',
    textAlign: 'left',
    '&:hover > span:first-child': { textDecoration: 'underline' },
  }),
  title: css({ color: theme.colors.text.link, fontWeight: theme.typography.fontWeightMedium }),
  quiet: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  hit: css({ margin: theme.spacing(0.5, 0, 0) }),
  snippet: css({ border: 'none', whiteSpace: 'pre-wrap', wordBreak: 'break-word', boxDecorationBreak: 'clone' }),
});
