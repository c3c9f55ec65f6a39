/** Chart, facets, rows and drawer of the audit log, in one frame of fixed height. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { LoadingBar, useStyles2 } from '@grafana/ui';
import { useCallback, useMemo } from 'react';
import { CallDrawer } from '../call/CallDrawer.tsx';
import type { ApiQuery } from '../data/api.ts';
import { useCalls } from '../data/useCalls.ts';
import type { useFacets, useTimeline } from '../data/useTimeline.ts';
import { useWidth } from '../chart/useSize.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import type { CallFilters } from '../url/call-filters.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import type { PageTimeRange } from '../url/useTimeRange.ts';
import type { CallColumn } from './call-columns.tsx';
import { CallTable } from './CallTable.tsx';
import { FacetPanel } from './FacetPanel.tsx';
import { ListFooter } from './ListFooter.tsx';
import { NoCalls } from './NoCalls.tsx';
import { TIMELINE_PX, TimelinePanel } from './TimelinePanel.tsx';
import { useOpenCall } from './useOpenCall.ts';
import { useRemainingHeight } from './useRemainingHeight.ts';
import { useRowKeys } from './useRowKeys.ts';

interface AuditLogContentProps {
  readonly time: PageTimeRange;
  readonly filters: CallFilters;
  readonly query: ApiQuery;
  readonly columns: readonly CallColumn[];
  readonly timeline: ReturnType<typeof useTimeline>;
  readonly facets: ReturnType<typeof useFacets>;
  readonly onFilter: ChangeFilters;
}

export function AuditLogContent({ time, filters, query, columns, timeline, facets, onFilter }: AuditLogContentProps) {
  const styles = useStyles2(getStyles);
  const calls = useCalls(query);
  const rows = useMemo(() => calls.data?.pages.flatMap(({ items }) => items) ?? [], [calls.data]);
  const open = useOpenCall(rows);
  const [frame, height] = useRemainingHeight<HTMLDivElement>();
  const [list, width] = useWidth<HTMLDivElement>();
  useRowKeys({ move: open.move, open: open.openActive, close: open.close });
  const { timeZone, range } = time;
  const rangeMs = range.to.valueOf() - range.from.valueOf();
  const context = useMemo(() => ({ timeZone, rangeMs }), [timeZone, rangeMs]);
  const { fetchNextPage, isFetchingNextPage } = calls;
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const closeAndFilter = useCallback<ChangeFilters>(
    (apply) => {
      open.close();
      onFilter(apply);
    },
    [open, onFilter]
  );
  return (
    <>
      <div className={styles.timeline}>
        {timeline.error !== null ? (
          <FailureState title="The timeline could not be read" error={timeline.error} onRetry={time.refresh} />
        ) : timeline.data === undefined ? (
          <div style={{ height: TIMELINE_PX }}>
            <Skeleton lines={4} />
          </div>
        ) : (
          <TimelinePanel timeline={timeline.data} timeZone={timeZone} onRange={time.setRange} onFilter={onFilter} />
        )}
      </div>
      <div ref={frame} className={styles.frame} style={{ height }}>
        {facets.data !== undefined && <FacetPanel facets={facets.data} filters={filters} onFilter={onFilter} />}
        <div ref={list} className={styles.list}>
          <div className={styles.loading}>{calls.isFetching && <LoadingBar width={width} />}</div>
          {calls.error !== null && rows.length === 0 ? (
            <FailureState title="The calls could not be read" error={calls.error} onRetry={time.refresh} />
          ) : calls.data === undefined ? (
            <Skeleton lines={12} />
          ) : rows.length === 0 && !calls.hasNextPage ? (
            <NoCalls filters={filters} onFilter={onFilter} onRange={time.setRange} />
          ) : (
            <CallTable
              calls={rows}
              columns={columns}
              context={context}
              activeId={open.activeId}
              hasMore={calls.hasNextPage}
              footer={<ListFooter calls={calls} rows={rows.length} timeZone={timeZone} onMore={loadMore} />}
              onOpen={open.open}
              onNearEnd={loadMore}
              onFilter={onFilter}
            />
          )}
        </div>
      </div>
      {open.id !== undefined && (
        <CallDrawer
          id={open.id}
          known={open.known}
          timeZone={timeZone}
          onFilter={closeAndFilter}
          onOpen={open.open}
          onMove={open.move}
          onClose={open.close}
        />
      )}
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  timeline: css({ margin: theme.spacing(1, 0) }),
  frame: css({ display: 'flex', gap: theme.spacing(1), minHeight: 0 }),
  list: css({ position: 'relative', display: 'flex', flexDirection: 'column', flex: 1, minWidth: 0 }),
  loading: css({ position: 'absolute', top: 0, left: 0, right: 0, zIndex: 2 }),
});
