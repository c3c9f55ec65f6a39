/**
 * From what a caller asks to export to a plan, under the same filters as the list of calls, and to what is kept about it.
 * Stops callers who may export nothing, or no payloads; the refusal is recorded. People are kept by user key.
 */
import type { Context } from 'hono';
import { chosenColumns } from '../../exports/columns.ts';
import type { ExportPlan } from '../../exports/export-plan.ts';
import type { AccessEntry } from '../../record/access.ts';
import type { TimeWindow } from '../../store/queries/scope.ts';
import { ApiError, badParameter } from '../api-error.ts';
import { callFilter } from '../call-filter.ts';
import type { CallFilterQuery } from '../contract/filters.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import { nowNs } from '../clock.ts';
import type { RunOwner, RunRequest } from '../state/export-runs.ts';
import type { PlannedExport } from './exports.ts';
import { formatInstant, recentRange } from '../time-range.ts';
import type { ApiCaller, Visibility } from '../visibility.ts';
import { exportRefusal } from '../visibility.ts';

const REFUSAL = {
  not_admin: 'Only admins and auditors export. Ask one of them, or look at your own calls in the audit log.',
  not_auditor: 'Only auditors export payloads. Leave `payloads` out to export metadata.',
} as const;

/** Throws ApiError `forbidden`. @param wanted `payloads`: whether payloads are wanted */
export async function requireExport(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  wanted: { readonly payloads: boolean; readonly action?: AccessEntry['action'] }
): Promise<Visibility> {
  const visibility = c.get('visibility');
  const reason = exportRefusal(visibility, wanted.payloads);
  if (reason === undefined) return visibility;
  const action = wanted.action ?? (wanted.payloads ? 'export.payloads' : 'export.metadata');
  await deps.refusals.refused({ ...accessActor(c), action, reason });
  throw new ApiError('forbidden', REFUSAL[reason], { reason });
}

export interface AskedExport {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly filters: CallFilterQuery;
  readonly format: ExportPlan['format'];
  readonly compression: ExportPlan['compression'];
  readonly columns?: readonly string[] | undefined;
  readonly payloads: boolean;
}

/** Throws ApiError `invalid_request`. */
export async function planExport(
  deps: RouteDeps,
  visibility: Visibility,
  asked: AskedExport,
  options: { readonly window?: TimeWindow; readonly signal?: AbortSignal } = {}
): Promise<PlannedExport> {
  const { format, compression, payloads } = asked;
  requirePossible(asked);
  const window = options.window ?? recentRange(asked, nowNs(deps.clock));
  const filter = await callFilter(
    deps,
    visibility,
    asked.filters,
    options.signal === undefined ? {} : { signal: options.signal }
  );
  const columns = chosenColumns(asked.columns);
  const people = {
    ...(filter.only.user === undefined ? {} : { user: filter.only.user }),
    ...(filter.not.user === undefined ? {} : { notUser: filter.not.user }),
  };
  return {
    plan: { visibility, window, filter, columns, format, compression, payloads },
    request: { filters: { ...filtersToKeep(asked.filters), ...people }, format, compression, columns, payloads },
  };
}

/** Throws ApiError `invalid_request`. */
function requirePossible({
  format,
  compression,
  payloads,
}: Pick<AskedExport, 'format' | 'compression' | 'payloads'>): void {
  if (format !== 'parquet') return;
  if (payloads) throw badParameter('format', 'the store writes Parquet and cannot open payloads; use jsonl or csv');
  if (compression !== 'none') throw badParameter('compression', 'Parquet compresses by itself; leave it out');
}

function filtersToKeep(filters: CallFilterQuery): RunRequest['filters'] {
  const kept: Record<string, readonly string[] | string | number> = {};
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) kept[name] = value;
  return kept;
}

/** Back to the filters of a query. */
export function keptFilters(kept: RunRequest['filters']): CallFilterQuery {
  return kept;
}

export function runOwner(caller: ApiCaller): RunOwner {
  const { kind, name, userKey, subject } = caller;
  return { kind, name, userKey, subject: subject ?? `${kind}:${name}` };
}

/** For the access log: what was taken, without text that somebody typed and that may name a person. */
export function exportDetail(
  runId: string,
  { filters, format, compression, columns, payloads }: RunRequest,
  { fromNs, toNs }: TimeWindow
): NonNullable<AccessEntry['detail']> {
  const { q, ...others } = filters;
  const shown = Object.entries(others).map(
    ([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`
  );
  return {
    run: runId,
    from: formatInstant(fromNs),
    to: formatInstant(toNs),
    format,
    compression,
    columns: columns.length,
    payloads,
    filters: shown,
    ...(q === undefined ? {} : { words: String(q).split(/\s+/).length }),
  };
}
