/**
 * What the demo left in the audit log, as tables for a terminal: outcome by kind of record, and who called. Pure text.
 */
import { OUTCOMES, type Outcome } from '../record/vocabulary.ts';
import type { DemoCall } from './audit-log.ts';

/** Comes about only when a gateway dies in the middle of a call. */
const NOT_PLAYED: Outcome = 'interrupted';

const KINDS = ['request', 'attempt', 'notification', 'server_request', 'stream'] as const;

export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function outcomeTable(calls: readonly DemoCall[]): TextTable {
  const rows = OUTCOMES.map((outcome) => {
    const these = calls.filter((call) => call.outcome === outcome);
    return [
      outcome,
      ...KINDS.map((kind) => countText(these.filter((call) => call.kind === kind).length)),
      String(these.length),
    ];
  });
  const open = calls.filter((call) => call.outcome === null).length;
  const all = ['all', ...KINDS.map((kind) => countText(calls.filter((call) => call.kind === kind).length))];
  return {
    head: ['outcome', ...KINDS, 'all'],
    rows: [
      ...rows.filter((row) => row.at(-1) !== '0'),
      ...(open === 0 ? [] : [['(still open)', '', '', '', '', String(open), String(open)]]),
      [...all, String(calls.length)],
    ],
  };
}

export function peopleTable(calls: readonly DemoCall[]): TextTable {
  const byPerson = Map.groupBy(calls, whoOf);
  const rows = [...byPerson].map(([who, theirs]) => [
    who,
    String(theirs.filter(({ kind }) => kind === 'request' || kind === 'attempt').length),
    unique(theirs.map(({ server }) => server)),
    unique(theirs.map(({ client }) => (client.name === null ? '' : `${client.name} ${client.version ?? ''}`.trim()))),
  ]);
  return {
    head: ['who', 'requests', 'servers', 'client'],
    rows: rows.sort((a, b) => (a[0] ?? '').localeCompare(b[0] ?? '')),
  };
}

/** Outcomes that the demo is to show and that are not there. */
export function missingOutcomes(calls: readonly DemoCall[]): readonly Outcome[] {
  const seen = new Set(calls.map(({ outcome }) => outcome));
  return OUTCOMES.filter((outcome) => outcome !== NOT_PLAYED && !seen.has(outcome));
}

function whoOf({ user, keyName }: DemoCall): string {
  if (user?.email !== undefined) return user.email;
  return keyName === null ? '(not known)' : `key ${keyName}`;
}

function unique(values: readonly string[]): string {
  return [...new Set(values)]
    .filter((value) => value !== '')
    .sort()
    .join(', ');
}

function countText(count: number): string {
  return count === 0 ? '' : String(count);
}
