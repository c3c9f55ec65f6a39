/** The list of sessions; the time of each leads to it. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { TextLink, useStyles2 } from '@grafana/ui';
import type { Session } from '../data/contract.ts';
import { formatCount, formatDuration, formatShort } from '../format/numbers.ts';
import { userName } from '../format/people.ts';
import { formatFull } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { sessionPath } from './session-path.ts';

interface SessionTableProps {
  readonly sessions: readonly Session[];
  readonly timeZone: string;
  readonly isDemo: boolean;
}

export function SessionTable({ sessions, timeZone, isDemo }: SessionTableProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.frame} tabIndex={0} role="region" aria-label="Sessions, the latest begun first">
      <table className={styles.table}>
        <thead>
          <tr>
            <th>Started</th>
            <th>User</th>
            <th>Client</th>
            <th>Servers</th>
            <th className={styles.number}>Length</th>
            <th className={styles.number}>Calls</th>
            <th className={styles.number}>Failed</th>
            <th className={styles.number}>Denied</th>
            <th className={styles.number}>Est. tokens</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <tr key={session.key}>
              <td>
                <TextLink href={sessionPath(session.key, isDemo)} color="primary" variant="bodySmall" inline={false}>
                  {formatFull(session.startedAt, timeZone)}
                </TextLink>
              </td>
              <td>{session.users.length === 0 ? 'unknown' : session.users.map(userName).join(', ')}</td>
              <td>{visibleText(`${session.client.name ?? '–'} ${session.client.version ?? ''}`)}</td>
              <td>{session.servers.join(', ')}</td>
              <td className={styles.number}>{formatDuration(session.durationMs)}</td>
              <td className={styles.number}>{formatCount(session.calls)}</td>
              <td className={session.errors > 0 ? styles.failed : styles.number}>{formatCount(session.errors)}</td>
              <td className={styles.number}>{formatCount(session.denied)}</td>
              <td className={styles.number}>{formatShort(session.tokensEstimated)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const number = { textAlign: 'right !important' as 'right' };
  return {
    frame: css({
      margin: theme.spacing(1, 0),
      overflow: 'auto',
      background: theme.colors.background.primary,
      border: `1px solid ${theme.colors.border.weak}`,
      borderRadius: theme.shape.radius.default,
    }),
    table: css({
      width: '100%',
      fontSize: theme.typography.bodySmall.fontSize,
      fontVariantNumeric: 'tabular-nums',
      '& th': {
        height: theme.spacing(4),
        padding: theme.spacing(0, 1),
        background: theme.colors.background.secondary,
        color: theme.colors.text.secondary,
        fontWeight: theme.typography.fontWeightMedium,
        textAlign: 'left',
        whiteSpace: 'nowrap',
      },
      '& td': {
        height: theme.spacing(4),
        maxWidth: theme.spacing(40),
        padding: theme.spacing(0, 1),
        overflow: 'hidden',
        borderTop: `1px solid ${theme.colors.border.weak}`,
        textOverflow: 'ellipsis',
        whiteSpace: 'nowrap',
      },
      '& tbody tr:hover': { background: theme.colors.action.hover },
    }),
    number: css(number),
    failed: css({ ...number, color: theme.colors.error.text }),
  };
};
