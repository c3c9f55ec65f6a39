/** Which users use which servers. A server's heading sorts the users by it, a user's name the servers. */
import { css } from '@emotion/css';
import { colorManipulator, type GrafanaTheme2 } from '@grafana/data';
import { Icon, TextLink, useStyles2, useTheme2 } from '@grafana/ui';
import { useMemo, useState } from 'react';
import type { UsageUsers } from '../data/contract.ts';
import { useUsageTable } from '../data/useUsage.ts';
import { formatCount } from '../format/numbers.ts';
import { visibleText } from '../format/visible-text.ts';
import { heatOf, serversBy, usersBy, warmth } from './heat.ts';
import { Panel } from './Panel.tsx';
import { TABLE_UNITS } from './ServersPanel.tsx';
import { TableTools } from './TableTools.tsx';
import type { LinkTo, UsageState } from './useUsageState.ts';

/** of the palette's colour at its warmest, so that text stays readable on it */
const MOST_ALPHA = 0.45;

export function UsersPanel({ state }: { readonly state: UsageState }) {
  const table = useUsageTable('users', state.query);
  const [search, setSearch] = useState('');
  return (
    <Panel
      title="Users and servers"
      query={table}
      height={TABLE_UNITS}
      tools={<TableTools name="users" query={state.query} search={search} onSearch={setSearch} />}
    >
      {(data) => <HeatTable data={data} search={search} linkTo={state.linkTo} />}
    </Panel>
  );
}

interface HeatTableProps {
  readonly data: UsageUsers;
  readonly search: string;
  readonly linkTo: LinkTo;
}

function HeatTable({ data, search, linkTo }: HeatTableProps) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const heat = useMemo(() => heatOf(data.items), [data]);
  const [byServer, setByServer] = useState<string>();
  const [byUser, setByUser] = useState<string>();
  const servers = serversBy(heat, byUser);
  const users = usersBy(heat, byServer).filter(({ name }) => name.toLowerCase().includes(search.toLowerCase()));
  const color = theme.visualization.getColorByName('blue');
  return (
    <div className={styles.scroller} tabIndex={0} role="region" aria-label="Users and servers, table">
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">
              <Sorter label="User" isOn={false} onClick={() => setByUser(undefined)} />
            </th>
            <th scope="col" aria-sort={byServer === undefined ? 'descending' : undefined}>
              <Sorter label="All servers" isOn={byServer === undefined} onClick={() => setByServer(undefined)} />
            </th>
            {servers.map((server) => (
              <th key={server} scope="col" aria-sort={byServer === server ? 'descending' : undefined}>
                <Sorter label={server} isOn={byServer === server} onClick={() => setByServer(server)} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.key}>
              <th scope="row">
                <Sorter label={visibleText(user.name)} isOn={byUser === user.key} onClick={() => setByUser(user.key)} />
              </th>
              <td>
                <CellLink href={linkTo({ user: user.filterValue })} calls={user.total} />
              </td>
              {servers.map((server) => {
                const calls = user.calls.get(server) ?? 0;
                const background = colorManipulator.alpha(color, warmth(calls, heat.highest) * MOST_ALPHA);
                return (
                  <td key={server} style={calls === 0 ? undefined : { background }}>
                    {calls > 0 && <CellLink href={linkTo({ user: user.filterValue, server })} calls={calls} />}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CellLink({ href, calls }: { readonly href: string; readonly calls: number }) {
  return (
    <TextLink href={href} color="primary" variant="bodySmall" inline={false}>
      {formatCount(calls)}
    </TextLink>
  );
}

interface SorterProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly onClick: () => void;
}

function Sorter({ label, isOn, onClick }: SorterProps) {
  const styles = useStyles2(getStyles);
  return (
    <button type="button" className={styles.sorter} title={`Sort by ${label}`} onClick={onClick}>
      {label}
      {isOn && <Icon name="arrow-down" size="sm" />}
    </button>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  scroller: css({ maxHeight: theme.spacing(44), overflow: 'auto' }),
  table: css({
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
    '& th, & td': {
      height: theme.spacing(4),
      padding: theme.spacing(0, 1),
      border: `1px solid ${theme.colors.background.primary}`,
      whiteSpace: 'nowrap',
    },
    '& td': { minWidth: theme.spacing(11), textAlign: 'right' },
    '& thead th': { position: 'sticky', top: 0, zIndex: 1, background: theme.colors.background.primary },
    '& tbody th': { textAlign: 'left' },
    '& td a': { justifyContent: 'flex-end', width: '100%' },
  }),
  sorter: css({
    display: 'inline-flex',
    alignItems: 'center',
    padding: 0,
    background: 'none',
    border: 'none',
    color: theme.colors.text.secondary,
    fontSize: 'inherit',
    fontWeight: theme.typography.fontWeightMedium,
  }),
});
