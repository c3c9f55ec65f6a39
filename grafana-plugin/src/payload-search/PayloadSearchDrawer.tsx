/** Asks for a text, says what the search will do, and lists the calls that hold it as they are found. */
import { Alert, Button, Drawer, Field, Input, LoadingBar, Stack } from '@grafana/ui';
import { useState } from 'react';
import type { ApiQuery } from '../data/api.ts';
import { formatBytes, formatCount, plural } from '../format/numbers.ts';
import { formatFull } from '../format/times.ts';
import { FailureState } from '../states/FailureState.tsx';
import { FoundCall } from './FoundCall.tsx';
import { REASON_WORDS, type SearchState } from './search-state.ts';
import type { PayloadSearch } from './usePayloadSearch.ts';

interface PayloadSearchDrawerProps {
  readonly search: PayloadSearch;
  readonly query: ApiQuery;
  readonly timeZone: string;
  readonly onOpen: (callId: string, direction: 'request' | 'response') => void;
  readonly onClose: () => void;
}

/** as the audit API takes it */
const LEAST_CHARS = 2;
const MOST_CHARS = 200;
const BAR_PX = 600;

export function PayloadSearchDrawer({ search, query, timeZone, onOpen, onClose }: PayloadSearchDrawerProps) {
  const [text, setText] = useState('');
  const { state, start, cancel } = search;
  const isRunning = state.phase === 'running';
  const isTooShort = text.trim().length < LEAST_CHARS;
  return (
    <Drawer
      size="md"
      title="Search in payloads"
      subtitle="Opens the payloads of the calls that fit this page’s filters and time range, newest first. The search is recorded, and each call that it finds counts as opened."
      onClose={onClose}
    >
      <Stack direction="column" gap={2}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!isTooShort && !isRunning) start(text, query);
          }}
        >
          <Stack direction="row" gap={1} alignItems="flex-end">
            <Field label="Text" description="In bodies and headers, in upper or lower case. No patterns." noMargin>
              <Input
                id="payload-search-text"
                width={40}
                value={text}
                maxLength={MOST_CHARS}
                autoComplete="off"
                autoFocus
                onChange={(event) => setText(event.currentTarget.value)}
              />
            </Field>
            {isRunning ? (
              <Button type="button" variant="secondary" icon="times" onClick={cancel}>
                Stop
              </Button>
            ) : (
              <Button type="submit" icon="search" disabled={isTooShort}>
                Search
              </Button>
            )}
          </Stack>
        </form>
        {isRunning && <LoadingBar width={BAR_PX} />}
        <p role="status" data-testid="payload-search-status">
          {statusOf(state, timeZone)}
        </p>
        {state.failure !== undefined && <FailureState title="The search failed" error={state.failure} />}
        {state.reason !== undefined && state.reason !== 'complete' && (
          <Alert severity="info" title="Not everything was looked at">
            {REASON_WORDS[state.reason]}
          </Alert>
        )}
        <ul aria-label="Calls that hold the text">
          {state.matches.map((match) => (
            <FoundCall key={match.call.id} match={match} timeZone={timeZone} onOpen={onOpen} />
          ))}
        </ul>
      </Stack>
    </Drawer>
  );
}

function statusOf({ phase, progress, matches, reason }: SearchState, timeZone: string): string {
  if (phase === 'idle') return '';
  const parts = [
    phase === 'running' ? 'Searching' : phase === 'cancelled' ? 'Stopped' : undefined,
    matches.length === 0 && phase === 'ended' ? 'Not found' : `${plural(matches.length, 'call')} found`,
  ].filter((part) => part !== undefined);
  if (progress !== undefined) {
    parts.push(`${formatCount(progress.calls)} looked at, ${formatBytes(progress.bytes)}`);
    if (progress.unreadable > 0) parts.push(`${formatCount(progress.unreadable)} could not be opened`);
    if (progress.searchedTo !== null && reason !== 'complete')
      parts.push(`back to ${formatFull(progress.searchedTo, timeZone)}`);
  }
  return parts.join(' · ');
}
