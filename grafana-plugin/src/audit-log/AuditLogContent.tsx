/** Chart, facets, rows and drawer of the audit log, in one frame of fixed height. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { LoadingBar, useStyles2 } from '@grafana/ui';
import { useCallback, useMemo, useState } from 'react';
import { CallDrawer } from '../call/CallDrawer.tsx';
import { useWidth } from '../chart/useSize.ts';
import type { ApiQuery } from '../data/api.ts';
import type { useFacets, useTimeline } from '../data/useTimeline.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { filterQuery, type CallFilters } from '../url/call-filters.ts';
import { rawRangeOf } from '../url/time-range.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import type { PageTimeRange } from '../url/useTimeRange.ts';
import type { CallColumn } from './call-columns.tsx';
import { CallListView } from './CallListView.tsx';
import { FacetFailure, FacetPanel, FacetPlaceholder } from './FacetPanel.tsx';
import { TIMELINE_PX, TimelinePanel } from './TimelinePanel.tsx';
import { useCallList } from './useCallList.ts';
import { useOpenCall } from './useOpenCall.ts';
import { useRemainingHeight } from './useRemainingHeight.ts';
import { useRowKeys } from './useRowKeys.ts';

interface AuditLogContentProps {
  readonly time: PageTimeRange;
  readonly filters: CallFilters;
  readonly query: ApiQuery;
  readonly columns: readonly CallColumn[];
  readonly isLive: boolean;
  readonly timeline: ReturnType<typeof useTimeline>;
  readonly facets: ReturnType<typeof useFacets>;
  readonly onFilter: ChangeFilters;
}

export function AuditLogContent(props: AuditLogContentProps) {
  const { time, filters, query, columns, isLive, timeline, facets, onFilter } = props;
  const styles = useStyles2(getStyles);
  const [isScrolled, setScrolled] = useState(false);
  const [scrolledLive, setScrolledLive] = useState(isLive);
  if (scrolledLive !== isLive) {
    // the live list is another one, and begins at its top
    setScrolledLive(isLive);
    setScrolled(false);
  }
  const [isPointed, setPointed] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const filterParams = useMemo(() => filterQuery(filters), [filters]);
  const list = useCallList({
    query,
    filters: filterParams,
    asked: JSON.stringify([filterParams, rawRangeOf(time.range.raw)]),
    isLive,
    isReading: isScrolled || isOpen || (isLive && isPointed),
  });
  const open = useOpenCall(list.rows, isLive);
  if (isOpen !== (open.activeId !== undefined)) setOpen(open.activeId !== undefined);
  const [frame, height] = useRemainingHeight<HTMLDivElement>();
  const [listFrame, width] = useWidth<HTMLDivElement>();
  useRowKeys({ move: open.move, open: open.openActive, close: open.close });
  const { timeZone } = time;
  // what comes below the last row is announced there
  const isReloading = list.calls.isFetching && !list.calls.isFetchingNextPage;
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
          <div className={styles.placeholder}>
            <Skeleton lines={4} />
          </div>
        ) : (
          <TimelinePanel timeline={timeline.data} timeZone={timeZone} onRange={time.setRange} onFilter={onFilter} />
        )}
      </div>
      <div ref={frame} className={styles.frame} style={{ height }}>
        {facets.error !== null ? (
          <FacetFailure error={facets.error} onRetry={time.refresh} />
        ) : facets.data !== undefined ? (
          <FacetPanel facets={facets.data} filters={filters} onFilter={onFilter} />
        ) : (
          <FacetPlaceholder />
        )}
        <div
          ref={listFrame}
          className={styles.list}
          onMouseEnter={() => setPointed(true)}
          onMouseLeave={() => setPointed(false)}
        >
          <div className={styles.loading}>{isReloading && <LoadingBar width={width} />}</div>
          <CallListView
            list={list}
            open={open}
            time={time}
            filters={filters}
            columns={columns}
            isLive={isLive}
            onFilter={onFilter}
            onScrolled={setScrolled}
            onResume={() => {
              open.leave();
              setScrolled(false);
              setPointed(false);
            }}
          />
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
  placeholder: css({
    height: `calc(${TIMELINE_PX}px + ${theme.spacing(5.25)})`,
    padding: theme.spacing(1),
    overflow: 'hidden',
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  frame: css({ display: 'flex', gap: theme.spacing(1), minHeight: 0 }),
  list: css({ position: 'relative', display: 'flex', flexDirection: 'column', flex: 1, minWidth: 0 }),
  loading: css({ position: 'absolute', top: 0, left: 0, right: 0, zIndex: 2 }),
});
