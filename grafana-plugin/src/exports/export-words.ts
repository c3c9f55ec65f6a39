/** Exports in words: what is filtered, what may be exported and why not, and how far an export is. Pure functions. */
import type { ExportEstimate, ExportFormat, ExportRun, ExportSchedule, Me } from '../data/contract.ts';
import type { ExportRequest } from '../data/useExports.ts';
import type { ValueNames } from '../filters/value-names.ts';
import { formatBytes, formatCount, formatDuration, plural } from '../format/numbers.ts';
import { FIELD_LABEL, FILTER_FIELDS, readFilters, type CallFilters } from '../url/call-filters.ts';

/** One line for each field that is filtered; none: everything. */
export function filterLines(filters: CallFilters, names: ValueNames): string[] {
  const lines = FILTER_FIELDS.flatMap((field) => {
    const of = (not: boolean) =>
      filters.terms.filter((term) => term.field === field && term.not === not).map(({ value }) => names(field, value));
    const [only, without] = [of(false), of(true)];
    return [
      ...(only.length === 0 ? [] : [`${FIELD_LABEL[field]} is ${only.join(' or ')}`]),
      ...(without.length === 0 ? [] : [`${FIELD_LABEL[field]} is not ${without.join(' and not ')}`]),
    ];
  });
  if (filters.text !== '') lines.push(`Metadata holds “${filters.text}”`);
  if (filters.minDurationMs !== undefined) lines.push(`Took at least ${formatDuration(filters.minDurationMs)}`);
  if (filters.maxDurationMs !== undefined) lines.push(`Took at most ${formatDuration(filters.maxDurationMs)}`);
  if (filters.demo) lines.push('Demo data, made up');
  return lines;
}

/** Filters as the audit API keeps them. */
export function keptFilters(kept: ExportRun['filters']): CallFilters {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(kept)) {
    for (const one of Array.isArray(value) ? value : [String(value)]) search.append(name, one);
  }
  return readFilters(search);
}

/** @returns why this reader exports nothing; undefined: they may */
export function whyNoExport(me: Me): string | undefined {
  if (me.visibility.calls === 'all') return undefined;
  return `Only admins and Auditors export. Ask one of them${teamsInBrackets(me)}; your own calls are on this page.`;
}

/** @returns why this reader exports no payloads; undefined: they may */
export function whyNoPayloads(me: Me): string | undefined {
  if (me.visibility.payloads.allowed) return undefined;
  const teams = me.auditorTeams.length === 0 ? 'none yet' : me.auditorTeams.join(', ');
  return `Only Auditors export payloads. Auditor teams: ${teams}. A Grafana admin names them on the Configuration page.`;
}

/** What an Auditor's payloads are of. */
export function payloadReach({ visibility: { payloads } }: Me): string {
  if (payloads.servers === '*') return 'Requests and responses, opened.';
  return `Requests and responses, opened, of ${payloads.servers.join(', ')}; rows of other servers say why they have none.`;
}

function teamsInBrackets({ auditorTeams }: Me): string {
  return auditorTeams.length === 0 ? '' : ` (${auditorTeams.join(', ')})`;
}

export function estimateText({ rows, bytes, payloadBytes }: ExportEstimate): string {
  if (rows === 0) return 'No rows';
  const payloads = payloadBytes === null ? '' : `, ${formatBytes(payloadBytes)} of it payloads`;
  return `${plural(rows, 'row')}, about ${formatBytes(bytes)} before compression${payloads}`;
}

export const RUN_WORDS: Readonly<Record<ExportRun['state'], string>> = {
  pending: 'waits',
  running: 'runs',
  done: 'done',
  retrying: 'failed, is tried again',
  failed: 'failed',
  cancelled: 'cancelled',
};

export function amountText({ rows, bytes }: Pick<ExportRun, 'rows' | 'bytes'>): string {
  return `${plural(rows, 'row')}, ${formatBytes(bytes)}`;
}

/** @param expectedRows of the estimate */
export function progressText(run: ExportRun, expectedRows: number | undefined): string {
  if (run.state === 'pending') return 'Waits for the browser to fetch it.';
  if (run.state === 'done') return `Done: ${amountText(run)}.`;
  if (run.state === 'running') {
    const of = expectedRows === undefined ? '' : ` of about ${formatCount(expectedRows)}`;
    return `Under way: ${formatCount(run.rows)}${of} rows, ${formatBytes(run.bytes)}.`;
  }
  const why = run.problem === null ? '' : ` ${run.problem}`;
  return `${run.state === 'cancelled' ? 'Cancelled' : 'Failed'} after ${amountText(run)}.${why} The file is not whole.`;
}

/** @returns what a request takes: Parquet has metadata only and compresses by itself */
export function fittingShape<
  T extends { readonly format: string; readonly compression: string; readonly payloads: boolean },
>(shape: T): T {
  return shape.format === 'parquet' ? { ...shape, compression: 'none', payloads: false } : shape;
}

/** Where files of a schedule go; credentials are no part of it. */
export function destinationText(destination: ExportSchedule['destination']): string {
  if (destination.type === 'configured') return destination.name;
  if (destination.type === 'https') return destination.url;
  const at = destination.endpoint === undefined ? '' : ` at ${destination.endpoint}`;
  return `S3 bucket ${destination.bucket}${at}`;
}

/** What a schedule exports, on one line. */
export function scheduleWhat(
  schedule: Pick<ExportSchedule, 'filters' | 'format' | 'compression'>,
  names: ValueNames
): string {
  const lines = filterLines(keptFilters(schedule.filters), names);
  const form = schedule.compression === 'none' ? '' : `, ${schedule.compression}`;
  return `${lines.length === 0 ? 'All calls' : lines.join('; ')} (${FORMAT_WORDS[schedule.format]}${form})`;
}

const FORMAT_WORDS: Readonly<Record<ExportFormat, string>> = { jsonl: 'JSONL', csv: 'CSV', parquet: 'Parquet' };

export const SCHEDULE_WORDS: Readonly<Record<ExportSchedule['state'], string>> = {
  active: 'active',
  paused: 'paused',
  stopped: 'stopped',
  held: 'held by a gateway',
  retrying: 'is tried again',
};

/** @returns `export verify` of what a run wrote, for a shell; names are quoted, since they may hold anything */
export function verifyCommand(manifestName: string): string {
  return `npx gatelens export verify ${shellQuoted(manifestName)} --public-key gatelens.pem`;
}

/** @returns what makes the same file from a shell, and can go on with it; the token is in the environment there */
export function exportCommand(request: ExportRequest, fileName: string): string {
  const filters = Object.entries(request.filters).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) =>
      one === undefined ? [] : ['--filter', `${name}=${String(one)}`]
    )
  );
  const columns = request.columns === undefined ? [] : ['--columns', request.columns.join(',')];
  const shape = ['--format', request.format, '--compression', request.compression, ...columns];
  const range = ['--from', request.from, '--to', request.to];
  const words = [...range, ...filters, ...shape, ...(request.payloads ? ['--payloads'] : []), '--out', fileName];
  return `npx gatelens export ${words.map(shellQuoted).join(' ')}`;
}

function shellQuoted(text: string): string {
  return /^(--[a-z]+|[\w./@:=+,][\w./@:=+,-]*)$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
