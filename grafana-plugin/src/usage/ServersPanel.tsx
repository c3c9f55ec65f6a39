/** Servers by number of calls: share, errors, duration, users, trend. */
import { useMemo, useState } from 'react';
import { useUsageTable } from '../data/useUsage.ts';
import type { UsageServers } from '../data/contract.ts';
import { formatCount, formatShare } from '../format/numbers.ts';
import {
  callsColumn,
  costColumns,
  errorRateColumn,
  nameColumn,
  numberColumn,
  p95Column,
  trendColumn,
} from './columns.tsx';
import { Panel } from './Panel.tsx';
import { RankedTable } from './RankedTable.tsx';
import { TableTools } from './TableTools.tsx';
import type { UsageState } from './useUsageState.ts';

export const TABLE_UNITS = 36;

type Row = UsageServers['items'][number];

export function ServersPanel({ state }: { readonly state: UsageState }) {
  const table = useUsageTable('servers', state.query);
  const [search, setSearch] = useState('');
  const { linkTo } = state;
  const currency = table.data?.currency;
  const all = table.data?.items.reduce((sum, { calls }) => sum + calls, 0) ?? 0;
  const columns = useMemo(
    () => [
      nameColumn<Row>(
        'server',
        'Server',
        ({ server }) => server,
        ({ server }) => linkTo({ server })
      ),
      callsColumn<Row>(),
      numberColumn<Row>('share', 'Share', ({ calls }) => (all === 0 ? 0 : calls / all), formatShare),
      errorRateColumn<Row>(),
      p95Column<Row>(),
      numberColumn<Row>('users', 'Users', ({ users }) => users, formatCount),
      ...costColumns<Row>(currency),
      trendColumn<Row>(),
    ],
    [linkTo, all, currency]
  );
  return (
    <Panel
      title="Servers"
      query={table}
      height={TABLE_UNITS}
      tools={<TableTools name="servers" query={state.query} search={search} onSearch={setSearch} />}
    >
      {({ items }) => (
        <RankedTable
          label="Servers"
          rows={items}
          columns={columns}
          rowKey={({ server }) => server}
          sortedBy="calls"
          search={search}
        />
      )}
    </Panel>
  );
}
