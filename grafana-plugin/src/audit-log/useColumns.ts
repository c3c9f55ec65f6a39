/** Which columns are shown, kept in the address. */
import { useCallback, useMemo } from 'react';
import { setParam, useSearch } from '../url/useSearch.ts';
import { chosenColumns, columnsParam, type CallColumn } from './call-columns.tsx';

export function useColumns(): [readonly CallColumn[], (keys: readonly string[]) => void] {
  const [search, change] = useSearch();
  const text = search.get('columns');
  const columns = useMemo(() => chosenColumns(text), [text]);
  const choose = useCallback(
    (keys: readonly string[]) => change(setParam('columns', columnsParam(keys)), { replace: true }),
    [change]
  );
  return [columns, choose];
}
