/** What the parts of the pipeline report of themselves. A record that was lost is said loudly. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Alert, useStyles2 } from '@grafana/ui';
import type { Status } from '../data/contract.ts';
import { formatBytes, formatCount, plural } from '../format/numbers.ts';
import { formatAgo } from '../format/times.ts';
import { Section } from './Section.tsx';

export function PipelineHealth({ status }: { readonly status: Status }) {
  const styles = useStyles2(getStyles);
  const { components, users, store } = status;
  const lost = components.reduce((sum, one) => sum + one.lost, 0);
  const setAside = components.reduce((sum, one) => sum + one.setAside, 0);
  const leftOut = leftOutOf(components);
  return (
    <Section title="Health">
      {lost > 0 && (
        <Alert severity="error" title={`${plural(lost, 'record')} lost`}>
          audit.onFailure is “pass”: calls went on although they could not be recorded.
        </Alert>
      )}
      {setAside > 0 && (
        <Alert severity="error" title={`${plural(setAside, 'batch', 'batches')} set aside`}>
          The store refused them. They are kept in the spool’s directory.
        </Alert>
      )}
      {components.length === 0 ? (
        <p>No part has reported in the last day. A gateway reports 15 seconds after its start, and from then on.</p>
      ) : (
        <table className={styles.table}>
          <thead>
            <tr>
              <th>Part</th>
              <th>Last report</th>
              <th className={styles.number}>Recorded</th>
              <th className={styles.number}>Shipped</th>
              <th className={styles.number}>Waiting</th>
              <th className={styles.number}>Lost</th>
              <th>Verified</th>
            </tr>
          </thead>
          <tbody>
            {components.map((one) => (
              <tr key={`${one.component} ${one.gatewayId}`}>
                <td>
                  {one.component} <span className={styles.quiet}>{one.gatewayId}</span>
                </td>
                <td>{formatAgo(one.at, 'browser')}</td>
                <td className={styles.number}>{formatCount(one.recorded)}</td>
                <td className={styles.number}>{formatCount(one.shipped)}</td>
                <td className={styles.number}>{formatBytes(one.spoolBytes)}</td>
                <td className={styles.number}>{formatCount(one.lost)}</td>
                <td>{one.lastVerifiedAt === null ? 'never' : formatAgo(one.lastVerifiedAt, 'browser')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {leftOut !== '' && <p>Not in the record, since the parts started: {leftOut}.</p>}
      <p>
        The store holds {plural(store.calls, 'record')}
        {store.bytesOnDisk !== null && `, ${formatBytes(store.bytesOnDisk)} on disk`}.
      </p>
      <p>{matchingOf(users)}</p>
    </Section>
  );
}

/** What records do not have, in words; `''`: nothing. */
function leftOutOf(components: Status['components']): string {
  const sum = (value: (one: Status['components'][number]) => number) =>
    components.reduce((total, one) => total + value(one), 0);
  const parts: readonly (readonly [count: number, words: string])[] = [
    [sum((one) => one.refused), 'calls that were refused, since they could not be recorded'],
    [sum((one) => one.attemptsLeftOut), 'refused attempts, which stand in sums'],
    [sum((one) => one.payloadsTruncated), 'payloads beyond what is kept of one (capture.maxBytes)'],
    [sum((one) => one.payloadsFailed), 'payloads that could not be sealed'],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${formatCount(count)} ${words}`)
    .join('; ');
}

/** How many people find their own calls, in words. */
function matchingOf(users: Status['users']): string {
  if (users === null) return 'Grafana does not say who its users are, so it is not known who can find their own calls.';
  if (users.calling === 0)
    return 'Nobody is counted yet who called in the last 30 days. A new call is counted within a minute.';
  const { matched, calling } = users;
  return `${formatCount(matched)} of ${plural(calling, 'person', 'people')} who called in the last 30 days can find their own calls in Grafana.`;
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    marginBottom: theme.spacing(1),
    fontVariantNumeric: 'tabular-nums',
    '& th, & td': {
      height: theme.spacing(4),
      padding: theme.spacing(0, 1),
      borderBottom: `1px solid ${theme.colors.border.weak}`,
      textAlign: 'left',
      whiteSpace: 'nowrap',
    },
    '& th': { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightMedium },
  }),
  number: css({ textAlign: 'right !important' as 'right' }),
  quiet: css({ color: theme.colors.text.secondary }),
});
