/** Which tab of the drawer is shown; kept in the address so that a link leads to the same view. */
import { useCallback } from 'react';
import { setParam, useSearch } from '../url/useSearch.ts';

export const DRAWER_TABS = ['overview', 'request', 'response', 'headers', 'session', 'raw'] as const;
export type DrawerTab = (typeof DRAWER_TABS)[number];

export const TAB_LABEL: Readonly<Record<DrawerTab, string>> = {
  overview: 'Overview',
  request: 'Request',
  response: 'Response',
  headers: 'Headers',
  session: 'Session',
  raw: 'Raw',
};

export function useDrawerTab(): [DrawerTab, (tab: DrawerTab) => void] {
  const [search, change] = useSearch();
  const asked = search.get('tab');
  const tab = DRAWER_TABS.find((one) => one === asked) ?? 'overview';
  const setTab = useCallback(
    (next: DrawerTab) => change(setParam('tab', next === 'overview' ? undefined : next), { replace: true }),
    [change]
  );
  return [tab, setTab];
}
