/** No requests in this range. */
import { Button, EmptyState, Stack } from '@grafana/ui';
import type { UsageState } from './useUsageState.ts';

export function NoUsage({ state }: { readonly state: UsageState }) {
  return (
    <EmptyState
      variant="call-to-action"
      message="No calls in this range"
      button={
        <Stack direction="row" gap={1}>
          <Button onClick={() => state.time.setRange({ from: 'now-30d', to: 'now' })}>Show the last 30 days</Button>
          {!state.filters.demo && (
            <Button variant="secondary" onClick={() => state.setDemo(true)}>
              Show demo data
            </Button>
          )}
        </Stack>
      }
    >
      Usage counts MCP requests that passed the gateway and are over.
    </EmptyState>
  );
}
