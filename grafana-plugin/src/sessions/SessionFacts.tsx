/** A session in one line: who, with what, when, how it went. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { LinkButton, useStyles2 } from '@grafana/ui';
import { PAGES, pagePath } from '../constants.ts';
import type { Session } from '../data/contract.ts';
import { formatDuration, formatShort, plural } from '../format/numbers.ts';
import { userName } from '../format/people.ts';
import { formatFull, toMs } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';

interface SessionFactsProps {
  readonly session: Session;
  readonly timeZone: string;
  readonly auditLogQuery: string;
}

export function SessionFacts({ session, timeZone, auditLogQuery }: SessionFactsProps) {
  const styles = useStyles2(getStyles);
  const { client, users, startedAt, endedAt, durationMs, calls, errors, denied, serverRequests } = session;
  const range = `from=${Math.floor(toMs(startedAt)) - 1000}&to=${Math.ceil(toMs(endedAt)) + 1000}`;
  return (
    <div className={styles.facts}>
      <strong>{users.map(userName).join(', ') || 'unknown'}</strong>
      <span>{visibleText(`${client.name ?? 'unknown client'} ${client.version ?? ''}`)}</span>
      <span>{formatFull(startedAt, timeZone)}</span>
      <span>{formatDuration(durationMs)}</span>
      <span>{plural(calls, 'call')}</span>
      {errors > 0 && <span className={styles.failed}>{errors} failed</span>}
      {denied > 0 && <span>{denied} denied</span>}
      {serverRequests > 0 && <span>{plural(serverRequests, 'request')} of servers</span>}
      <span>{formatShort(session.tokensEstimated)} est. tokens</span>
      <LinkButton
        size="sm"
        variant="secondary"
        icon="list-ul"
        className={styles.link}
        href={`${pagePath(PAGES.auditLogs)}?${range}&${auditLogQuery}`}
      >
        In the audit log
      </LinkButton>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  facts: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(0.5, 2),
    marginBottom: theme.spacing(1),
    color: theme.colors.text.secondary,
    '& strong': { color: theme.colors.text.primary },
  }),
  failed: css({ color: theme.colors.error.text }),
  link: css({ marginLeft: 'auto' }),
});
