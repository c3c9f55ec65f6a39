/** Servers and tools that nobody called for thirty days: candidates to switch off. */
import { RadioButtonGroup, Stack } from '@grafana/ui';
import { useMemo, useState } from 'react';
import type { UnusedItem } from '../data/contract.ts';
import { useUnused } from '../data/useUsage.ts';
import { formatCount } from '../format/numbers.ts';
import { formatAgo, toMs } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { numberColumn } from './columns.tsx';
import { Panel } from './Panel.tsx';
import { RankedTable, type RankedColumn } from './RankedTable.tsx';
import { TableTools } from './TableTools.tsx';
import type { UsageState } from './useUsageState.ts';

const HEIGHT_UNITS = 28;
const DAYS = 30;

export function UnusedPanel({ state }: { readonly state: UsageState }) {
  const { demo } = state.filters;
  const { timeZone } = state.time;
  const query = useMemo(() => ({ days: DAYS, ...(demo ? { demo: 'true' } : {}) }), [demo]);
  const unused = useUnused(query);
  const [kind, setKind] = useState<'servers' | 'tools'>('servers');
  const [search, setSearch] = useState('');
  const columns = useMemo<readonly RankedColumn<UnusedItem>[]>(
    () => [
      text('server', 'Server', ({ server }) => server),
      ...(kind === 'tools' ? [text('tool', 'Tool', ({ tool }) => tool ?? '')] : []),
      {
        key: 'last',
        label: 'Last called',
        isNumber: true,
        value: ({ lastCalledAt }) => (lastCalledAt === null ? 0 : -toMs(lastCalledAt)),
        cell: ({ lastCalledAt }) => (lastCalledAt === null ? 'never' : formatAgo(lastCalledAt, timeZone)),
      },
      numberColumn('calls', 'Calls ever', ({ calls }) => calls, formatCount),
    ],
    [kind, timeZone]
  );
  return (
    <Panel
      title={`Unused for ${DAYS} days`}
      query={unused}
      height={HEIGHT_UNITS}
      tools={
        <Stack direction="row" gap={1} alignItems="center">
          <RadioButtonGroup
            size="sm"
            aria-label="Servers or tools"
            options={[
              { label: 'Servers', value: 'servers' as const },
              { label: 'Tools', value: 'tools' as const },
            ]}
            value={kind}
            onChange={setKind}
          />
          <TableTools name="unused" query={query} search={search} onSearch={setSearch} />
        </Stack>
      }
    >
      {(data) => (
        <RankedTable
          key={kind}
          label={`Unused ${kind}`}
          rows={data[kind]}
          columns={columns}
          rowKey={({ server, tool }) => `${server} ${tool ?? ''}`}
          sortedBy="last"
          search={search}
        />
      )}
    </Panel>
  );
}

function text(key: string, label: string, read: (item: UnusedItem) => string): RankedColumn<UnusedItem> {
  return { key, label, value: read, cell: (item) => visibleText(read(item)) };
}
