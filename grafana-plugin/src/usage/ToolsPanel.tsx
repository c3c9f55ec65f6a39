/** Tools by number of calls: errors, duration, what a result costs in tokens, trend. */
import { useMemo, useState } from 'react';
import { useUsageTable } from '../data/useUsage.ts';
import type { UsageTools } from '../data/contract.ts';
import {
  callsColumn,
  costColumns,
  errorRateColumn,
  nameColumn,
  p95Column,
  tokensColumn,
  trendColumn,
} from './columns.tsx';
import { Panel } from './Panel.tsx';
import { RankedTable } from './RankedTable.tsx';
import { TABLE_UNITS } from './ServersPanel.tsx';
import { TableTools } from './TableTools.tsx';
import type { UsageState } from './useUsageState.ts';

type Row = UsageTools['items'][number];

export function ToolsPanel({ state }: { readonly state: UsageState }) {
  const table = useUsageTable('tools', state.query);
  const [search, setSearch] = useState('');
  const { linkTo } = state;
  const currency = table.data?.currency;
  const columns = useMemo(
    () => [
      nameColumn<Row>(
        'tool',
        'Tool',
        ({ tool }) => tool,
        ({ tool, server }) => linkTo({ tool, server })
      ),
      nameColumn<Row>(
        'server',
        'Server',
        ({ server }) => server,
        ({ server }) => linkTo({ server })
      ),
      callsColumn<Row>(),
      errorRateColumn<Row>(),
      p95Column<Row>(),
      tokensColumn<Row>('Tokens a call', ({ tokensPerCall }) => tokensPerCall),
      ...costColumns<Row>(currency),
      trendColumn<Row>(),
    ],
    [linkTo, currency]
  );
  return (
    <Panel
      title="Tools"
      query={table}
      height={TABLE_UNITS}
      tools={<TableTools name="tools" query={state.query} search={search} onSearch={setSearch} />}
    >
      {({ items }) => (
        <RankedTable
          label="Tools"
          rows={items}
          columns={columns}
          rowKey={({ server, tool }) => `${server} ${tool}`}
          sortedBy="calls"
          search={search}
        />
      )}
    </Panel>
  );
}
