/** What stands below the last row: that more is coming, that it failed, how far was searched, or that this is the end. */
import { Button, Spinner } from '@grafana/ui';
import type { useCalls } from '../data/useCalls.ts';
import { plural } from '../format/numbers.ts';
import { formatFull } from '../format/times.ts';
import { failureText } from '../states/FailureState.tsx';
import { LIMIT_WORDS } from '../states/limit-words.ts';

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
        {failureText(error)}
        <Button size="sm" variant="secondary" onClick={onMore}>
          Try again
        </Button>
      </>
    );
  }
  if (!hasNextPage) return `${plural(rows, 'call')}. This is the start of the range.`;
  const { searchedTo = null, cutBy } = data?.pages.at(-1) ?? {};
  return (
    <>
      {searchedTo !== null && (
        <span role="status">
          {rows === 0 && 'No call found so far. '}Searched back to {formatFull(searchedTo, timeZone)} only
          {cutBy !== undefined && `: ${LIMIT_WORDS[cutBy]}`}.
        </span>
      )}
      <Button size="sm" variant="secondary" onClick={onMore}>
        {searchedTo === null ? 'Earlier calls' : 'Search further back'}
      </Button>
    </>
  );
}
