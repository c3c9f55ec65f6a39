/** Sessions: what a client did in one go, one line each. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import { Button, EmptyState, useStyles2 } from '@grafana/ui';
import { useMemo } from 'react';
import { PageToolbar } from '../app/PageToolbar.tsx';
import { useMe } from '../data/useMe.ts';
import { useSessions } from '../data/useSessions.ts';
import { useFacets } from '../data/useTimeline.ts';
import { FilterBar } from '../filters/FilterBar.tsx';
import { suggestionsFrom } from '../filters/suggestions.ts';
import { valueNames } from '../filters/value-names.ts';
import { FailureState } from '../states/FailureState.tsx';
import { NothingVisible } from '../states/NothingVisible.tsx';
import { OwnOnlyNotice } from '../states/OwnOnlyNotice.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { filterQuery } from '../url/call-filters.ts';
import { useCallFilters } from '../url/useCallFilters.ts';
import { useTimeRange } from '../url/useTimeRange.ts';
import { SessionTable } from './SessionTable.tsx';

export default function SessionsPage() {
  const styles = useStyles2(getStyles);
  const time = useTimeRange();
  const me = useMe();
  const [filters, changeFilters] = useCallFilters();
  const query = useMemo(() => ({ ...time.instants, ...filterQuery(filters) }), [time.instants, filters]);
  const sessions = useSessions(query);
  const facets = useFacets(query);
  const names = useMemo(() => valueNames(facets.data), [facets.data]);
  const suggestions = useMemo(() => suggestionsFrom(facets.data), [facets.data]);
  const rows = sessions.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <PluginPage
      actions={<PageToolbar time={time} isLoading={sessions.isFetching} onRefresh={time.refresh} />}
      subTitle={me.data?.visibility.calls === 'own' ? <OwnOnlyNotice what="These are your own sessions." /> : undefined}
    >
      {me.error !== null ? (
        <FailureState title="The sessions could not be read" error={me.error} onRetry={() => void me.refetch()} />
      ) : me.data?.visibility.calls === 'none' ? (
        <NothingVisible me={me.data} />
      ) : (
        <>
          <FilterBar filters={filters} names={names} suggestions={suggestions} onChange={changeFilters} />
          {sessions.error !== null ? (
            <div className={styles.state}>
              <FailureState title="The sessions could not be read" error={sessions.error} onRetry={time.refresh} />
            </div>
          ) : sessions.data === undefined ? (
            <Skeleton lines={12} />
          ) : rows.length === 0 ? (
            <EmptyState variant="not-found" message="No session in this range">
              A session begins when an MCP client connects to a server through the gateway.
            </EmptyState>
          ) : (
            <SessionTable sessions={rows} timeZone={time.timeZone} isDemo={filters.demo} />
          )}
          {sessions.hasNextPage && (
            <div>
              <Button
                variant="secondary"
                disabled={sessions.isFetchingNextPage}
                onClick={() => void sessions.fetchNextPage()}
              >
                Earlier sessions
              </Button>
            </div>
          )}
        </>
      )}
    </PluginPage>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  state: css({ marginTop: theme.spacing(1) }),
});
