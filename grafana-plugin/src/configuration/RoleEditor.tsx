/** Teams that make Auditors, for which servers, and teams that see everybody's metadata. Says in words what it means. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Alert, Button, Combobox, Field, IconButton, MultiCombobox, Stack, useStyles2 } from '@grafana/ui';
import { useId, useMemo, useState } from 'react';
import { toApiFailure } from '../data/api-failure.ts';
import type { RoleSettings } from '../data/contract.ts';
import { useFacets } from '../data/useTimeline.ts';
import { useChangeRoles } from '../data/useSettings.ts';
import { userName } from '../format/people.ts';
import { formatFull } from '../format/times.ts';
import { ALL_SERVERS, chosenServers, draftOf, effectOf, isChanged, mappingOf, type RoleDraft } from './role-draft.ts';

export function RoleEditor({ settings }: { readonly settings: RoleSettings }) {
  const styles = useStyles2(getStyles);
  const [draft, setDraft] = useState<RoleDraft>(() => draftOf(settings));
  const change = useChangeRoles();
  const { mayChange, teams } = settings;
  const free = (taken: readonly string[]) =>
    (teams ?? [])
      .filter(({ name }) => !taken.includes(name))
      .map(({ name, members }) => ({ value: name, label: name, description: `${members} in it` }));
  const auditorNames = draft.auditorTeams.map(({ team }) => team);
  const isIncomplete = draft.auditorTeams.some(({ servers }) => servers.length === 0);
  return (
    <Stack direction="column" gap={2}>
      {draft.auditorTeams.length === 0 && <p>No team yet, so nobody opens payloads in Grafana.</p>}
      {draft.auditorTeams.map(({ team, servers }) => (
        <AuditorTeamRow
          key={team}
          team={team}
          servers={servers}
          members={teams?.find(({ name }) => name === team)?.members}
          mayChange={mayChange}
          onServers={(next) => setDraft((now) => withServers(now, team, next))}
          onRemove={() =>
            setDraft((now) => ({ ...now, auditorTeams: now.auditorTeams.filter((one) => one.team !== team) }))
          }
        />
      ))}
      {mayChange && (
        <Field label="Add a team of Auditors" noMargin>
          <Combobox
            id="add-auditor-team"
            key={auditorNames.length}
            width={40}
            placeholder={teams === null ? 'Grafana does not say which teams there are' : 'Choose a team'}
            options={free(auditorNames)}
            onChange={({ value }) =>
              setDraft((now) => ({
                ...now,
                auditorTeams: [...now.auditorTeams, { team: value, servers: [ALL_SERVERS] }],
              }))
            }
          />
        </Field>
      )}
      <Field
        label="Teams that see everybody’s metadata"
        description="Without being Grafana Admins, and without payloads"
        noMargin
      >
        <MultiCombobox
          id="admin-view-teams"
          width={60}
          disabled={!mayChange}
          options={[...free(draft.adminViewTeams), ...draft.adminViewTeams.map((value) => ({ value, label: value }))]}
          value={[...draft.adminViewTeams]}
          onChange={(chosen) => setDraft((now) => ({ ...now, adminViewTeams: chosen.map(({ value }) => value) }))}
        />
      </Field>
      {change.error !== null && (
        <Alert severity="error" title="The roles stay as they are">
          {toApiFailure(change.error).message}
        </Alert>
      )}
      {mayChange ? (
        <Stack direction="row" gap={1} alignItems="center">
          <Button
            disabled={!isChanged(settings, draft) || isIncomplete || change.isPending}
            onClick={() => change.mutate(mappingOf(settings, draft))}
          >
            Save roles
          </Button>
          <Button
            variant="secondary"
            disabled={!isChanged(settings, draft)}
            onClick={() => {
              setDraft(draftOf(settings));
              change.reset();
            }}
          >
            Discard
          </Button>
          <span className={styles.quiet}>{lastChange(settings)}</span>
        </Stack>
      ) : (
        <p className={styles.quiet}>Grafana Admins change this. {lastChange(settings)}</p>
      )}
    </Stack>
  );
}

function withServers(draft: RoleDraft, team: string, servers: readonly string[]): RoleDraft {
  return {
    ...draft,
    auditorTeams: draft.auditorTeams.map((one) =>
      one.team === team ? { team, servers: chosenServers(one.servers, servers) } : one
    ),
  };
}

function lastChange({ changedAt, changedBy }: RoleSettings): string {
  if (changedBy === null) return 'As configured in gatelens.yaml.';
  return `Changed by ${userName(changedBy)}, ${formatFull(changedAt, 'browser')}.`;
}

interface AuditorTeamRowProps {
  readonly team: string;
  readonly servers: readonly string[];
  readonly members: number | undefined;
  readonly mayChange: boolean;
  readonly onServers: (servers: readonly string[]) => void;
  readonly onRemove: () => void;
}

function AuditorTeamRow({ team, servers, members, mayChange, onServers, onRemove }: AuditorTeamRowProps) {
  const styles = useStyles2(getStyles);
  const known = useKnownServers();
  const id = useId();
  const options = useMemo(
    () => [
      { value: ALL_SERVERS, label: 'all servers' },
      ...[...new Set([...known, ...servers.filter((server) => server !== ALL_SERVERS)])].map((value) => ({ value })),
    ],
    [known, servers]
  );
  return (
    <div className={styles.row}>
      <div className={styles.rowHead}>
        <strong>{team}</strong>
        <label htmlFor={id} className="sr-only">
          Servers of {team}
        </label>
        <MultiCombobox
          id={id}
          width={48}
          disabled={!mayChange}
          options={options}
          value={[...servers]}
          onChange={(chosen) => onServers(chosen.map(({ value }) => value))}
        />
        {mayChange && <IconButton name="trash-alt" tooltip={`Remove ${team}`} onClick={onRemove} />}
      </div>
      <p className={styles.effect}>{effectOf({ team, servers }, members)}</p>
    </div>
  );
}

/** Servers that were called in the last month; others can be named in gatelens.yaml. */
function useKnownServers(): readonly string[] {
  const facets = useFacets({ from: 'now-30d', field: ['server'] });
  return facets.data?.facets[0]?.values.map(({ value }) => value) ?? [];
}

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({
    padding: theme.spacing(1.5),
    background: theme.colors.background.secondary,
    borderRadius: theme.shape.radius.default,
  }),
  rowHead: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(1, 2),
    '& > strong': { minWidth: theme.spacing(20) },
  }),
  effect: css({ margin: theme.spacing(1, 0, 0), color: theme.colors.text.secondary }),
  quiet: css({ color: theme.colors.text.secondary }),
});
