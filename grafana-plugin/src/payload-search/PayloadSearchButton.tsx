/** The way to the search in payloads, for auditors. What was found stays while one of its calls is looked at. */
import { Button } from '@grafana/ui';
import { useState } from 'react';
import type { ApiQuery } from '../data/api.ts';
import { formatCount } from '../format/numbers.ts';
import { setParam, useSearch } from '../url/useSearch.ts';
import { PayloadSearchDrawer } from './PayloadSearchDrawer.tsx';
import { usePayloadSearch } from './usePayloadSearch.ts';

interface PayloadSearchButtonProps {
  /** range and filters of the page */
  readonly query: ApiQuery;
  readonly timeZone: string;
}

export function PayloadSearchButton({ query, timeZone }: PayloadSearchButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const [, change] = useSearch();
  const search = usePayloadSearch();
  const found = search.state.matches.length;
  return (
    <>
      <Button variant="secondary" icon="search" tooltip="Search in payloads" onClick={() => setOpen(true)}>
        {found > 0 ? formatCount(found) : 'Payloads'}
      </Button>
      {isOpen && (
        <PayloadSearchDrawer
          search={search}
          query={query}
          timeZone={timeZone}
          onOpen={(id, direction) => {
            setOpen(false);
            change((now) => setParam('tab', direction)(setParam('call', id)(now)));
          }}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  );
}
