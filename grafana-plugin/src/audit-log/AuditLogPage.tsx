/** The audit log: who called what, when, and how it ended. Every state of it is in the address. */
import { PluginPage } from '@grafana/runtime';
import { useCallback, useMemo } from 'react';
import { PageToolbar } from '../app/PageToolbar.tsx';
import { useRepeated } from '../app/useRepeated.ts';
import { useMe } from '../data/useMe.ts';
import { useFacets, useTimeline } from '../data/useTimeline.ts';
import { ExportButton } from '../exports/ExportButton.tsx';
import { FilterBar } from '../filters/FilterBar.tsx';
import { suggestionsFrom } from '../filters/suggestions.ts';
import { valueNames, ValueNamesProvider } from '../filters/value-names.ts';
import { PayloadSearchButton } from '../payload-search/PayloadSearchButton.tsx';
import { FailureState } from '../states/FailureState.tsx';
import { NothingVisible } from '../states/NothingVisible.tsx';
import { OwnOnlyNotice } from '../states/OwnOnlyNotice.tsx';
import { filterQuery } from '../url/call-filters.ts';
import { useCallFilters } from '../url/useCallFilters.ts';
import { setParam, useSearch } from '../url/useSearch.ts';
import { useTimeRange } from '../url/useTimeRange.ts';
import { SavedViews } from '../views/SavedViews.tsx';
import { AuditLogContent } from './AuditLogContent.tsx';
import { ColumnChooser } from './ColumnChooser.tsx';
import { LiveButton } from './LiveButton.tsx';
import { useColumns } from './useColumns.ts';

export default function AuditLogPage() {
  const time = useTimeRange();
  const [filters, changeFilters] = useCallFilters();
  const [columns, chooseColumns] = useColumns();
  const [search, changeSearch] = useSearch();
  const isLive = search.get('live') === 'true';
  const me = useMe();
  const query = useMemo(() => ({ ...time.instants, ...filterQuery(filters) }), [time.instants, filters]);
  const timeline = useTimeline(query);
  const facets = useFacets(query);
  const names = useMemo(() => valueNames(facets.data), [facets.data]);
  const suggestions = useMemo(() => suggestionsFrom(facets.data), [facets.data]);
  const { refresh } = time;
  const retry = useCallback(() => {
    void me.refetch();
    refresh();
  }, [me, refresh]);
  // chart and facets of a live view follow it
  useRepeated(isLive && time.refreshEvery === '' ? '10s' : undefined, refresh);
  const seesNothing = me.data?.visibility.calls === 'none';
  return (
    <ValueNamesProvider value={names}>
      <PluginPage
        actions={
          <>
            <LiveButton
              isLive={isLive}
              onChange={(live) => changeSearch(setParam('live', live ? 'true' : undefined))}
            />
            <ExportButton
              me={me.data}
              instants={time.instants}
              filters={filters}
              names={names}
              timeZone={time.timeZone}
            />
            <PageToolbar time={time} isLoading={timeline.isFetching} onRefresh={refresh} />
          </>
        }
        subTitle={me.data?.visibility.calls === 'own' ? <OwnOnlyNotice what="These are your own calls." /> : undefined}
      >
        {me.error !== null ? (
          <FailureState title="The audit log could not be read" error={me.error} onRetry={retry} />
        ) : seesNothing && me.data !== undefined ? (
          <NothingVisible me={me.data} />
        ) : (
          <>
            <FilterBar filters={filters} names={names} suggestions={suggestions} onChange={changeFilters}>
              {me.data?.visibility.payloads.allowed === true && (
                <PayloadSearchButton query={query} timeZone={time.timeZone} />
              )}
              <SavedViews page="audit-logs" />
              <ColumnChooser columns={columns} onChange={chooseColumns} />
            </FilterBar>
            <AuditLogContent
              time={time}
              filters={filters}
              query={query}
              columns={columns}
              isLive={isLive}
              timeline={timeline}
              facets={facets}
              onFilter={changeFilters}
            />
          </>
        )}
      </PluginPage>
    </ValueNamesProvider>
  );
}
