/** What somebody reads who may not open a payload, or when there is none. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import type { CallDetail, HiddenBecause } from '../data/contract.ts';
import { useMe } from '../data/useMe.ts';
import { useOwnTeams } from '../data/useOwnTeams.ts';
import { formatBytes } from '../format/numbers.ts';

const WHY: Readonly<Record<HiddenBecause, string>> = {
  not_auditor: 'Only Auditors can open it. An error text is payload too: it may quote what was sent.',
  other_server: 'You are an Auditor of other servers, not of this one.',
  no_payload: 'Nothing passed that could be kept.',
  hash_only: 'This server’s capture mode keeps size and digest only.',
  capture_off: 'Capture is switched off for this server or tool.',
  capture_failed: 'It could not be sealed, so nothing was kept.',
};

export function ClosedPayload({ call }: { readonly call: CallDetail }) {
  const styles = useStyles2(getStyles);
  const { hiddenBecause = 'not_auditor', requestSha256, responseSha256 } = call.payload;
  const isForbidden = hiddenBecause === 'not_auditor' || hiddenBecause === 'other_server';
  const teams = useOwnTeams(isForbidden);
  const auditorTeams = useMe().data?.auditorTeams ?? [];
  return (
    <section className={styles.panel} aria-label="Payload" data-testid="closed-payload">
      <Icon name={isForbidden ? 'lock' : 'info-circle'} size="xl" />
      <div>
        <h3 className={styles.title}>{isForbidden ? 'Payload recorded' : 'No payload to open'}</h3>
        <p>{WHY[hiddenBecause]}</p>
        {isForbidden && (
          <dl className={styles.facts}>
            <dt>Request</dt>
            <dd>
              {formatBytes(call.requestBytes)} <Digest hex={requestSha256} />
            </dd>
            <dt>Response</dt>
            <dd>
              {formatBytes(call.responseBytes)} <Digest hex={responseSha256} />
            </dd>
            <dt>Your teams</dt>
            <dd>{teams.data === undefined ? '–' : teams.data.length === 0 ? 'none' : teams.data.join(', ')}</dd>
            <dt>Auditor teams</dt>
            <dd>{auditorTeams.length === 0 ? 'none yet' : auditorTeams.join(', ')}</dd>
            <dt>Who can help</dt>
            <dd>Members of these teams open it; a Grafana admin names the teams on the Configuration page.</dd>
          </dl>
        )}
      </div>
    </section>
  );
}

function Digest({ hex }: { readonly hex: string | null }) {
  const styles = useStyles2(getStyles);
  if (hex === null) return null;
  return <code className={styles.digest}>SHA-256 {hex.slice(0, 12)}…</code>;
}

const getStyles = (theme: GrafanaTheme2) => ({
  panel: css({
    display: 'flex',
    gap: theme.spacing(2),
    padding: theme.spacing(3),
    background: theme.colors.background.secondary,
    borderRadius: theme.shape.radius.default,
  }),
  title: css({ margin: theme.spacing(0, 0, 0.5), fontSize: theme.typography.h5.fontSize }),
  facts: css({
    display: 'grid',
    gridTemplateColumns: `${theme.spacing(14)} 1fr`,
    gap: theme.spacing(0.5, 1),
    margin: theme.spacing(1, 0, 0),
    '& dt': { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular },
    '& dd': { margin: 0 },
  }),
  digest: css({ marginLeft: theme.spacing(1), color: theme.colors.text.secondary }),
});
