/** What stands below the last row: that more is coming, that it failed, how far was searched, or that this is the end. */
import { Button, Spinner } from '@grafana/ui';
import { toApiFailure } from '../data/api-failure.ts';
import type { useCalls } from '../data/useCalls.ts';
import { plural } from '../format/numbers.ts';
import { formatFull } from '../format/times.ts';

interface ListFooterProps {
  readonly calls: ReturnType<typeof useCalls>;
  readonly rows: number;
  readonly timeZone: string;
  readonly onMore: () => void;
}

export function ListFooter({ calls, rows, timeZone, onMore }: ListFooterProps) {
  const { isFetchingNextPage, hasNextPage, error, data } = calls;
  if (isFetchingNextPage) {
    return (
      <>
        <Spinner size="sm" /> Loading earlier calls
      </>
    );
  }
  if (error !== null) {
    return (
      <>
        {toApiFailure(error).message}
        <Button size="sm" variant="secondary" onClick={onMore}>
          Try again
        </Button>
      </>
    );
  }
  if (!hasNextPage) return `${plural(rows, 'call')}. This is the start of the range.`;
  const searchedTo = data?.pages.at(-1)?.searchedTo ?? null;
  return (
    <>
      {searchedTo !== null && `Searched back to ${formatFull(searchedTo, timeZone)}.`}
      <Button size="sm" variant="secondary" onClick={onMore}>
        Earlier calls
      </Button>
    </>
  );
}
