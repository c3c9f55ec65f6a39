/** Entries of the access log, one line each. What a payload belonged to is a link away. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, TextLink, useStyles2 } from '@grafana/ui';
import { PAGES, pagePath } from '../constants.ts';
import type { AccessLogEntry } from '../data/contract.ts';
import { formatBytes, plural } from '../format/numbers.ts';
import { formatFull } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { ACTION_WORDS, actorName, detailText, REASON_WORDS, targetText } from './access-words.ts';

interface AccessTableProps {
  readonly entries: readonly AccessLogEntry[];
  readonly timeZone: string;
}

export function AccessTable({ entries, timeZone }: AccessTableProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.frame} tabIndex={0} role="region" aria-label="Access log, newest first">
      <table className={styles.table}>
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
      </table>
    </div>
  );
}

function AccessRow({ entry, timeZone }: { readonly entry: AccessLogEntry; readonly timeZone: string }) {
  const styles = useStyles2(getStyles);
  const { target, decision, reason, rows, bytes } = entry;
  const isRefused = decision === 'refused';
  const details = detailText(entry);
  return (
    <tr>
      <td>{formatFull(entry.at, timeZone)}</td>
      <td>{visibleText(actorName(entry))}</td>
      <td title={details}>
        {ACTION_WORDS[entry.action]}
        {details !== '' && <span className={styles.detail}> {visibleText(details)}</span>}
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
      <td className={cx(isRefused && styles.refused)}>
        <Icon name={isRefused ? 'ban' : 'check'} size="sm" /> {decision}
        {reason !== null && `: ${REASON_WORDS[reason]}`}
      </td>
      <td>{bytes > 0 ? formatBytes(bytes) : rows > 0 ? plural(rows, 'row') : '–'}</td>
      <td>{entry.roles.join(', ') || '–'}</td>
      <td>{entry.clientAddress ?? '–'}</td>
    </tr>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
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
      maxWidth: theme.spacing(32),
      padding: theme.spacing(0, 1),
      overflow: 'hidden',
      borderTop: `1px solid ${theme.colors.border.weak}`,
      textOverflow: 'ellipsis',
      whiteSpace: 'nowrap',
    },
    '& tbody tr:hover': { background: theme.colors.action.hover },
  }),
  detail: css({ color: theme.colors.text.secondary }),
  refused: css({ color: theme.colors.error.text }),
});
