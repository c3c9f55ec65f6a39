/** One session: its calls in lanes by server, the same as a list below, each with its drawer. */
import type { NavModelItem } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import { Button } from '@grafana/ui';
import { useMemo } from 'react';
import { useParams } from 'react-router';
import { useOpenCall } from '../audit-log/useOpenCall.ts';
import { useRowKeys } from '../audit-log/useRowKeys.ts';
import { CallDrawer } from '../call/CallDrawer.tsx';
import { PAGES, pagePath } from '../constants.ts';
import { useSession } from '../data/useSessions.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { useSearch } from '../url/useSearch.ts';
import { withTerm, writeFilters, NO_FILTERS } from '../url/call-filters.ts';
import { SessionCalls } from './SessionCalls.tsx';
import { SessionFacts } from './SessionFacts.tsx';
import { SessionLanes } from './SessionLanes.tsx';

export default function SessionPage() {
  const { key = '' } = useParams();
  const [search] = useSearch();
  const timeZone = search.get('timezone') ?? 'browser';
  const session = useSession(key);
  const calls = useMemo(() => session.data?.pages.flatMap(({ items }) => items) ?? [], [session.data]);
  const open = useOpenCall(calls, false);
  useRowKeys({ move: open.move, open: open.openActive, close: open.close });
  const first = session.data?.pages[0]?.session;
  const pageNav: NavModelItem = {
    text: `Session ${key.slice(0, 8)}`,
    parentItem: { text: 'Sessions', url: pagePath(PAGES.sessions) },
  };
  const auditLog = writeFilters(
    new URLSearchParams(),
    withTerm({ ...NO_FILTERS, demo: search.get('demo') === 'true' }, { field: 'session', value: key, not: false })
  );
  return (
    <PluginPage pageNav={pageNav}>
      {session.error !== null ? (
        <FailureState
          title="This session could not be read"
          error={session.error}
          onRetry={() => void session.refetch()}
        />
      ) : first === undefined ? (
        <Skeleton lines={12} />
      ) : (
        <>
          <SessionFacts session={first} timeZone={timeZone} auditLogQuery={auditLog.toString()} />
          <SessionLanes calls={calls} timeZone={timeZone} activeId={open.activeId} onOpen={open.open} />
          <SessionCalls calls={calls} timeZone={timeZone} activeId={open.activeId} onOpen={open.open} />
          {session.hasNextPage && (
            <div>
              <Button variant="secondary" onClick={() => void session.fetchNextPage()}>
                Later calls
              </Button>
            </div>
          )}
        </>
      )}
      {open.id !== undefined && (
        <CallDrawer
          id={open.id}
          known={open.known}
          timeZone={timeZone}
          onFilter={() => undefined}
          onOpen={open.open}
          onMove={open.move}
          onClose={open.close}
        />
      )}
    </PluginPage>
  );
}
