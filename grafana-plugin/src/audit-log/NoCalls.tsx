/** An empty list: because of the filters, because of the range, or because nothing has passed the gateway yet. */
import { Button, EmptyState, Stack, TextLink } from '@grafana/ui';
import { hasFilters, NO_FILTERS, type CallFilters } from '../url/call-filters.ts';
import type { RawRange } from '../url/time-range.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';

interface NoCallsProps {
  readonly filters: CallFilters;
  readonly onFilter: ChangeFilters;
  readonly onRange: (range: RawRange) => void;
}

const LAST_WEEK: RawRange = { from: 'now-7d', to: 'now' };

export function NoCalls({ filters, onFilter, onRange }: NoCallsProps) {
  const week = (
    <Button variant="secondary" onClick={() => onRange(LAST_WEEK)}>
      Show the last 7 days
    </Button>
  );
  if (hasFilters(filters)) {
    return (
      <EmptyState
        variant="not-found"
        message="No call fits these filters"
        button={
          <Stack direction="row" gap={1}>
            <Button onClick={() => onFilter((now) => ({ ...NO_FILTERS, demo: now.demo }))}>Clear filters</Button>
            {week}
          </Stack>
        }
      />
    );
  }
  const demo = (
    <Button variant="secondary" fill="text" onClick={() => onFilter((now) => ({ ...now, demo: !now.demo }))}>
      {filters.demo ? 'Show real calls' : 'Show demo data'}
    </Button>
  );
  return (
    <EmptyState
      variant="call-to-action"
      message="No calls in this range"
      button={
        <Stack direction="row" gap={1}>
          {week}
          {demo}
        </Stack>
      }
    >
      Point an MCP client at the gateway in place of its server, for example{' '}
      <code>http://127.0.0.1:8080/mcp/&lt;server&gt;</code>, and make a call. It shows here within seconds.{' '}
      <TextLink href="https://modelcontextprotocol.io/docs/learn/client-concepts" external inline>
        About MCP clients
      </TextLink>
    </EmptyState>
  );
}
