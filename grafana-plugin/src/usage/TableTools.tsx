/** Search in a table, and the table as a file. */
import { Button, Icon, Input, Stack } from '@grafana/ui';
import { useState } from 'react';
import type { ApiQuery } from '../data/api.ts';
import { failureText } from '../states/FailureState.tsx';
import { usageCsv, type UsageTableName } from '../data/useUsage.ts';
import { download } from '../payload/download.ts';

interface TableToolsProps {
  readonly name: UsageTableName | 'unused';
  readonly query: ApiQuery;
  readonly search: string;
  readonly onSearch: (search: string) => void;
}

export function TableTools({ name, query, search, onSearch }: TableToolsProps) {
  const [failed, setFailed] = useState<string>();
  const save = async () => {
    try {
      download(`gatelens-usage-${name}.csv`, await usageCsv(name, query));
      setFailed(undefined);
    } catch (error) {
      setFailed(failureText(error));
    }
  };
  return (
    <Stack direction="row" gap={1} alignItems="center">
      {failed !== undefined && <span role="alert">{failed}</span>}
      <Input
        width={18}
        value={search}
        aria-label={`Search in ${name}`}
        placeholder="Search"
        prefix={<Icon name="search" />}
        onChange={(event) => onSearch(event.currentTarget.value)}
      />
      <Button
        size="sm"
        variant="secondary"
        icon="download-alt"
        aria-label={`Save ${name} as CSV`}
        onClick={() => void save()}
      >
        CSV
      </Button>
    </Stack>
  );
}
