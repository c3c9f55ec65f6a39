/** MCP clients and their versions. */
import { useMemo, useState } from 'react';
import { useUsageTable } from '../data/useUsage.ts';
import type { ClientUsage } from '../data/contract.ts';
import { formatCount } from '../format/numbers.ts';
import { callsColumn, costColumns, errorRateColumn, nameColumn, numberColumn, p95Column } from './columns.tsx';
import { Panel } from './Panel.tsx';
import { RankedTable } from './RankedTable.tsx';
import { TableTools } from './TableTools.tsx';
import type { UsageState } from './useUsageState.ts';

const HEIGHT_UNITS = 28;
const NONE = '(none)';

export function ClientsPanel({ state }: { readonly state: UsageState }) {
  const table = useUsageTable('clients', state.query);
  const [search, setSearch] = useState('');
  const { linkTo } = state;
  const currency = table.data?.currency;
  const columns = useMemo(
    () => [
      nameColumn<ClientUsage>(
        'client',
        'Client',
        ({ client }) => client ?? 'did not say',
        ({ client }) => linkTo({ client: client ?? NONE })
      ),
      nameColumn<ClientUsage>(
        'version',
        'Version',
        ({ version }) => version ?? '–',
        ({ client, version }) => linkTo({ client: client ?? NONE, clientVersion: version ?? NONE })
      ),
      callsColumn<ClientUsage>(),
      errorRateColumn<ClientUsage>(),
      p95Column<ClientUsage>(),
      numberColumn<ClientUsage>('users', 'Users', ({ users }) => users, formatCount),
      ...costColumns<ClientUsage>(currency),
    ],
    [linkTo, currency]
  );
  return (
    <Panel
      title="Clients and versions"
      query={table}
      height={HEIGHT_UNITS}
      tools={<TableTools name="clients" query={state.query} search={search} onSearch={setSearch} />}
    >
      {({ items }) => (
        <RankedTable
          label="Clients and versions"
          rows={items}
          columns={columns}
          rowKey={({ client, version }) => `${client ?? ''} ${version ?? ''}`}
          sortedBy="calls"
          search={search}
        />
      )}
    </Panel>
  );
}
