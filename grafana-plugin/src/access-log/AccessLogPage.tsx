/** The access log: who opened, searched, exported or changed what, and what was refused. */
import { PluginPage } from '@grafana/runtime';
import { Button, EmptyState } from '@grafana/ui';
import { useMemo } from 'react';
import { PageToolbar } from '../app/PageToolbar.tsx';
import { useAccessLog } from '../data/useAccessLog.ts';
import { FailureState } from '../states/FailureState.tsx';
import { OwnOnlyNotice } from '../states/OwnOnlyNotice.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { useSearch } from '../url/useSearch.ts';
import { useTimeRange } from '../url/useTimeRange.ts';
import { AccessFilters, readAccessFilters } from './AccessFilters.tsx';
import { AccessTable } from './AccessTable.tsx';

export default function AccessLogPage() {
  const time = useTimeRange();
  const [search] = useSearch();
  const query = useMemo(() => ({ ...time.instants, ...readAccessFilters(search) }), [time.instants, search]);
  const log = useAccessLog(query);
  const entries = log.data?.pages.flatMap(({ items }) => items) ?? [];
  const isOwn = log.data?.pages[0]?.scope === 'own';
  return (
    <PluginPage
      actions={<PageToolbar time={time} isLoading={log.isFetching} onRefresh={time.refresh} />}
      subTitle={isOwn ? <OwnOnlyNotice what="This is what you did yourself." /> : undefined}
    >
      <AccessFilters />
      {log.error !== null ? (
        <FailureState title="The access log could not be read" error={log.error} onRetry={time.refresh} />
      ) : log.data === undefined ? (
        <Skeleton lines={12} />
      ) : entries.length === 0 ? (
        <EmptyState variant="not-found" message="No entry fits">
          Each opening of a payload, each export and each change of rights stands here, refusals too.
        </EmptyState>
      ) : (
        <AccessTable entries={entries} timeZone={time.timeZone} />
      )}
      {log.hasNextPage && (
        <div>
          <Button variant="secondary" disabled={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Earlier entries
          </Button>
        </div>
      )}
    </PluginPage>
  );
}
