/** Columns of the audit log: what each shows, what clicking its value filters by, how wide it is. */
import type { ReactNode } from 'react';
import type { Call } from '../data/contract.ts';
import { OutcomeMark } from '../format/OutcomeMark.tsx';
import { formatBytes, formatCount, formatDuration } from '../format/numbers.ts';
import { outcomeOf } from '../format/outcomes.ts';
import { callerName, callTarget, callTitle, userFilterValue } from '../format/people.ts';
import { formatRowTime } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import type { FilterField } from '../url/call-filters.ts';

export interface CellContext {
  readonly timeZone: string;
  readonly rangeMs: number;
}

export interface CallColumn {
  readonly key: string;
  readonly label: string;
  /** a track of the grid; must not depend on what is in it, since every row is a grid of its own */
  readonly width: string | ((context: CellContext) => string);
  readonly isNumber?: boolean;
  readonly text: (call: Call, context: CellContext) => string;
  /** in place of the text */
  readonly mark?: (call: Call) => ReactNode;
  readonly filter?: (call: Call) => { readonly field: FilterField; readonly value: string };
}

const DAY_MS = 86_400_000;

export const CALL_COLUMNS: readonly CallColumn[] = [
  {
    key: 'time',
    label: 'Time',
    width: ({ rangeMs }) => (rangeMs > DAY_MS ? '152px' : '108px'),
    text: (call, { timeZone, rangeMs }) => formatRowTime(call.startedAt, timeZone, rangeMs),
  },
  {
    key: 'user',
    label: 'User',
    width: 'minmax(136px, 1.2fr)',
    text: callerName,
    filter: ({ user }) => ({ field: 'user', value: userFilterValue(user) }),
  },
  simple('server', 'Server', 'minmax(84px, 0.7fr)', (call) => call.server),
  {
    key: 'operation',
    label: 'Operation',
    width: 'minmax(176px, 2.4fr)',
    text: callTitle,
    filter: (call) =>
      call.tool === null ? { field: 'operation', value: call.operation } : { field: 'tool', value: call.tool },
  },
  {
    key: 'status',
    label: 'Status',
    width: '112px',
    text: outcomeOf,
    mark: (call) => <OutcomeMark outcome={outcomeOf(call)} />,
    filter: (call) => ({ field: 'outcome', value: outcomeOf(call) }),
  },
  number('duration', 'Duration', (call) => formatDuration(call.durationMs)),
  number('size', 'Size', (call) => (call.responseBytes === 0 ? '–' : formatBytes(call.responseBytes))),
  number('requestSize', 'Request size', (call) => formatBytes(call.requestBytes)),
  number('upstream', 'Server time', (call) => formatDuration(call.upstreamDurationMs)),
  number('tokens', 'Est. tokens', (call) => formatCount(call.tokensEstimated)),
  simple('client', 'Client', 'minmax(100px, 1fr)', (call) => call.client.name ?? ''),
  simple('key', 'API key', 'minmax(80px, 0.6fr)', (call) => call.keyName ?? ''),
  { key: 'target', label: 'Target', width: 'minmax(120px, 1fr)', text: (call) => callTarget(call) ?? '' },
  simple('errorType', 'Error', 'minmax(90px, 0.7fr)', (call) => call.errorType ?? ''),
  simple('kind', 'Kind', '110px', (call) => call.kind),
  { key: 'address', label: 'Address', width: 'minmax(100px, 0.8fr)', text: (call) => call.client.address ?? '' },
  {
    key: 'session',
    label: 'Session',
    width: '84px',
    text: ({ session }) => session.key?.slice(0, 8) ?? '',
    filter: ({ session }) => ({ field: 'session', value: session.key ?? '(none)' }),
  },
];

const DEFAULT_KEYS: readonly string[] = ['time', 'user', 'server', 'operation', 'status', 'duration', 'size'];

/** `grid-template-columns` of every row. */
export function gridTracks(columns: readonly CallColumn[], context: CellContext): string {
  return columns.map(({ width }) => (typeof width === 'string' ? width : width(context))).join(' ');
}

/** Of a comma-separated list as in the address; what is unknown is left out. */
export function chosenColumns(text: string | null): readonly CallColumn[] {
  const keys = text === null ? DEFAULT_KEYS : text.split(',');
  const chosen = CALL_COLUMNS.filter(({ key }) => keys.includes(key));
  return chosen.length === 0 ? chosenColumns(null) : chosen;
}

/** @returns what the address holds; nothing for the columns that are there anyway */
export function columnsParam(keys: readonly string[]): string | undefined {
  const isDefault = keys.length === DEFAULT_KEYS.length && DEFAULT_KEYS.every((key) => keys.includes(key));
  return isDefault || keys.length === 0
    ? undefined
    : CALL_COLUMNS.map(({ key }) => key)
        .filter((key) => keys.includes(key))
        .join(',');
}

function simple(key: FilterField, label: string, width: string, read: (call: Call) => string): CallColumn {
  return {
    key,
    label,
    width,
    text: (call) => visibleText(read(call)),
    filter: (call) => ({ field: key, value: read(call) === '' ? '(none)' : read(call) }),
  };
}

function number(key: string, label: string, text: (call: Call) => string): CallColumn {
  return { key, label, width: '78px', isNumber: true, text };
}
