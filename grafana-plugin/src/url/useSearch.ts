/** The query of the address as state. Every change is one step back in the browser unless it replaces. */
import { useCallback, useMemo, useRef } from 'react';
import { useLocation, useNavigate } from 'react-router';

type Change = (search: URLSearchParams) => URLSearchParams;

interface ChangeOptions {
  /** no step of its own in the history: typing, moving through rows */
  readonly replace?: boolean;
}

export function useSearch(): [URLSearchParams, (change: Change, options?: ChangeOptions) => void] {
  const { search, pathname } = useLocation();
  const navigate = useNavigate();
  const latest = useRef({ search, pathname, navigate });
  latest.current = { search, pathname, navigate };
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback((apply: Change, { replace = false }: ChangeOptions = {}) => {
    const now = latest.current;
    const next = apply(new URLSearchParams(now.search)).toString();
    if (next === new URLSearchParams(now.search).toString()) return;
    // two changes in one event build on each other
    latest.current = { ...now, search: `?${next}` };
    now.navigate({ pathname: now.pathname, search: next }, { replace });
  }, []);
  return [params, change];
}

/** For `change`: sets one parameter, or removes it. */
export function setParam(name: string, value: string | undefined): Change {
  return (search) => {
    if (value === undefined) search.delete(name);
    else search.set(name, value);
    return search;
  };
}
