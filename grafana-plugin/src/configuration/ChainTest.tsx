/** Each link between Grafana and the calls, tested now, with a plain answer and what to do. */
import { css } from '@emotion/css';
import type { GrafanaTheme2, IconName } from '@grafana/data';
import { Button, Icon, useStyles2, useTheme2 } from '@grafana/ui';
import type { ConnectionLink } from '../data/contract.ts';
import { toApiFailure } from '../data/api-failure.ts';
import type { useStatus } from '../data/useSettings.ts';
import { Section } from './Section.tsx';

const LABEL: Readonly<Record<ConnectionLink['link'], string>> = {
  grafana_user: 'Secret, and who you are',
  signing_keys: 'Grafana’s signing keys',
  teams: 'Grafana’s teams',
  store: 'Store',
  spool: 'Spool',
};

interface Line {
  readonly label: string;
  readonly state: ConnectionLink['state'] | 'unknown';
  readonly message: string;
}

export function ChainTest({ status }: { readonly status: ReturnType<typeof useStatus> }) {
  const styles = useStyles2(getStyles);
  return (
    <Section title="Test">
      <ul className={styles.list} aria-live="polite">
        {linesOf(status).map((line) => (
          <TestLine key={line.label} line={line} />
        ))}
      </ul>
      <Button variant="secondary" icon="sync" disabled={status.isFetching} onClick={() => void status.refetch()}>
        Test again
      </Button>
    </Section>
  );
}

function linesOf({ data, error, isFetching }: ReturnType<typeof useStatus>): readonly Line[] {
  if (error !== null && !isFetching) {
    const { message, kind, reason } = toApiFailure(error);
    if (reason === 'not_admin') {
      return [
        { label: 'Audit API', state: 'ok', message: 'It answers.' },
        { label: LABEL.grafana_user, state: 'ok', message: 'The secret of the route and your signed token are right.' },
        { label: 'Everything behind it', state: 'not_used', message },
      ];
    }
    const isReached = kind === 'refused' || kind === 'invalid';
    return [
      { label: 'Audit API', state: isReached ? 'ok' : 'failed', message: isReached ? 'It answers.' : message },
      ...(isReached ? [{ label: LABEL.grafana_user, state: 'failed' as const, message }] : []),
    ];
  }
  if (data === undefined) return [{ label: 'Audit API', state: 'unknown', message: 'Asking' }];
  return [
    { label: 'Audit API', state: 'ok', message: `It answers, version ${data.version}.` },
    ...data.links.map(({ link, state, message }) => ({ label: LABEL[link], state, message })),
  ];
}

function TestLine({ line }: { readonly line: Line }) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const look: Readonly<Record<Line['state'], readonly [IconName, string]>> = {
    ok: ['check-circle', theme.colors.success.text],
    failed: ['times-circle', theme.colors.error.text],
    not_used: ['minus-circle', theme.colors.text.secondary],
    unknown: ['clock-nine', theme.colors.text.secondary],
  };
  const [icon, color] = look[line.state];
  return (
    <li className={styles.line}>
      <Icon name={icon} style={{ color }} title={line.state.replace('_', ' ')} />
      <span className={styles.label}>{line.label}</span>
      <span>{line.message}</span>
    </li>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', margin: theme.spacing(0, 0, 1.5) }),
  line: css({
    display: 'grid',
    gridTemplateColumns: `${theme.spacing(3)} ${theme.spacing(26)} 1fr`,
    alignItems: 'center',
    padding: theme.spacing(0.75, 0),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  }),
  label: css({ fontWeight: theme.typography.fontWeightMedium }),
});
