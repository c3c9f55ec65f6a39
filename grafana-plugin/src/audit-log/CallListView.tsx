/** The list in each of its states: loading, empty, failed, rows of a range, rows as they come. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import { useCallback, useMemo } from 'react';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import type { CallFilters } from '../url/call-filters.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import type { PageTimeRange } from '../url/useTimeRange.ts';
import type { CallColumn } from './call-columns.tsx';
import { CallTable } from './CallTable.tsx';
import { ListFooter } from './ListFooter.tsx';
import { LiveBar } from './LiveBar.tsx';
import { NoCalls } from './NoCalls.tsx';
import { COUNTED_NEW, type CallList } from './useCallList.ts';
import type { OpenCall } from './useOpenCall.ts';

interface CallListViewProps {
  readonly list: CallList;
  readonly open: OpenCall;
  readonly time: PageTimeRange;
  readonly filters: CallFilters;
  readonly columns: readonly CallColumn[];
  readonly isLive: boolean;
  readonly onFilter: ChangeFilters;
  readonly onScrolled: (isScrolled: boolean) => void;
  readonly onResume: () => void;
}

export function CallListView(props: CallListViewProps) {
  const { list, open, time, filters, columns, isLive, onFilter, onScrolled, onResume } = props;
  const styles = useStyles2(getStyles);
  const { rows, calls, tail, newCalls } = list;
  const { timeZone, range } = time;
  const rangeMs = isLive ? 0 : range.to.valueOf() - range.from.valueOf();
  const context = useMemo(() => ({ timeZone, rangeMs }), [timeZone, rangeMs]);
  const { fetchNextPage, isFetchingNextPage } = calls;
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  // what was cut short goes on when somebody asks for it, so that a search for little does not run through everything
  const isCut = (calls.data?.pages.at(-1)?.searchedTo ?? null) !== null;
  const loadsAhead = calls.error === null && !isCut;
  if (!isLive && rows.length === 0) {
    if (calls.error !== null) {
      return <FailureState title="The calls could not be read" error={calls.error} onRetry={time.refresh} />;
    }
    if (calls.data === undefined) return <Skeleton lines={12} label="Loading calls" />;
    if (!calls.hasNextPage) return <NoCalls filters={filters} onFilter={onFilter} onRange={time.setRange} />;
  }
  return (
    <>
      {isLive && <LiveBar tail={tail} isPaused={list.isPaused} onResume={onResume} />}
      {newCalls > 0 && (
        <div className={styles.newCalls}>
          <Button
            size="sm"
            variant="primary"
            icon="arrow-up"
            onClick={() => {
              onResume();
              list.showNew();
            }}
          >
            {newCalls >= COUNTED_NEW - 1 ? `${COUNTED_NEW}+ new` : `${newCalls} new`}
          </Button>
        </div>
      )}
      <CallTable
        key={isLive ? 'live' : 'range'}
        calls={rows}
        columns={columns}
        context={context}
        activeId={open.activeId}
        hasMore={!isLive && calls.hasNextPage}
        footer={
          isLive ? (
            rows.length === 0 && 'No call has come yet.'
          ) : (
            <ListFooter calls={calls} rows={rows.length} timeZone={timeZone} onMore={loadMore} />
          )
        }
        onOpen={open.open}
        onNearEnd={loadsAhead ? loadMore : undefined}
        onFilter={onFilter}
        onScrolled={onScrolled}
      />
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  newCalls: css({ position: 'absolute', top: theme.spacing(5), left: '50%', zIndex: 2, transform: 'translateX(-50%)' }),
});
