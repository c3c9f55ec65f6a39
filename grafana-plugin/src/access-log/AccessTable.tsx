/** Entries of the access log, one line each. What a payload belonged to is a link away. */
import { cx } from '@emotion/css';
import { Icon, TextLink, useStyles2 } from '@grafana/ui';
import { PAGES, pagePath } from '../constants.ts';
import type { AccessLogEntry } from '../data/contract.ts';
import { formatBytes, plural } from '../format/numbers.ts';
import { formatFull } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { getCellStyles } from '../table/cell-styles.ts';
import { TableFrame } from '../table/TableFrame.tsx';
import { ACTION_WORDS, actorName, detailText, REASON_WORDS, targetText } from './access-words.ts';

interface AccessTableProps {
  readonly entries: readonly AccessLogEntry[];
  readonly timeZone: string;
}

export function AccessTable({ entries, timeZone }: AccessTableProps) {
  return (
    <TableFrame label="Access log, newest first">
      <thead>
        <tr>
          <th>Time</th>
          <th>Who</th>
          <th>What</th>
          <th>Of</th>
          <th>Decision</th>
          <th>Given out</th>
          <th>As</th>
          <th>Address</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <AccessRow key={entry.id} entry={entry} timeZone={timeZone} />
        ))}
      </tbody>
    </TableFrame>
  );
}

function AccessRow({ entry, timeZone }: { readonly entry: AccessLogEntry; readonly timeZone: string }) {
  const styles = useStyles2(getCellStyles);
  const { target, decision, reason, rows, bytes } = entry;
  const isRefused = decision === 'refused';
  const details = detailText(entry);
  return (
    <tr>
      <td>{formatFull(entry.at, timeZone)}</td>
      <td>{visibleText(actorName(entry))}</td>
      <td title={details}>
        {ACTION_WORDS[entry.action]}
        {details !== '' && <span className={styles.quiet}> {visibleText(details)}</span>}
      </td>
      <td>
        {visibleText(targetText(entry))}{' '}
        {target.callId !== null && (
          <TextLink
            href={`${pagePath(PAGES.auditLogs)}?call=${encodeURIComponent(target.callId)}`}
            variant="bodySmall"
            inline
          >
            call
          </TextLink>
        )}
      </td>
      <td className={cx(isRefused && styles.bad)}>
        <Icon name={isRefused ? 'ban' : 'check'} size="sm" /> {decision}
        {reason !== null && `: ${REASON_WORDS[reason]}`}
      </td>
      <td>{bytes > 0 ? formatBytes(bytes) : rows > 0 ? plural(rows, 'row') : '–'}</td>
      <td>{entry.roles.join(', ') || '–'}</td>
      <td>{entry.clientAddress ?? '–'}</td>
    </tr>
  );
}
