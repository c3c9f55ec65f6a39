/** The list of sessions; the time of each leads to it. */
import { cx } from '@emotion/css';
import { TextLink, useStyles2 } from '@grafana/ui';
import type { Session } from '../data/contract.ts';
import { formatCount, formatDuration, formatShort } from '../format/numbers.ts';
import { userName } from '../format/people.ts';
import { formatFull } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { getCellStyles } from '../table/cell-styles.ts';
import { TableFrame } from '../table/TableFrame.tsx';
import { sessionPath } from './session-path.ts';

interface SessionTableProps {
  readonly sessions: readonly Session[];
  readonly timeZone: string;
  readonly isDemo: boolean;
}

export function SessionTable({ sessions, timeZone, isDemo }: SessionTableProps) {
  const styles = useStyles2(getCellStyles);
  return (
    <TableFrame label="Sessions, the latest begun first">
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
              <TextLink href={sessionPath(session.key, isDemo)} variant="bodySmall" inline={false}>
                {formatFull(session.startedAt, timeZone)}
              </TextLink>
            </td>
            <td>{session.users.length === 0 ? 'unknown' : session.users.map(userName).join(', ')}</td>
            <td>{visibleText(`${session.client.name ?? '–'} ${session.client.version ?? ''}`)}</td>
            <td>{session.servers.join(', ')}</td>
            <td className={styles.number}>{formatDuration(session.durationMs)}</td>
            <td className={styles.number}>{formatCount(session.calls)}</td>
            <td className={cx(styles.number, session.errors > 0 && styles.bad)}>{formatCount(session.errors)}</td>
            <td className={styles.number}>{formatCount(session.denied)}</td>
            <td className={styles.number}>{formatShort(session.tokensEstimated)}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
