/** The way from a figure to the calls behind it: the audit log with the same range and filters. */
import { PAGES, pagePath } from '../constants.ts';
import { NO_FILTERS, withTerm, writeFilters, type CallFilters, type FilterField } from './call-filters.ts';
import type { RawRange } from './time-range.ts';

type Values = Partial<Record<FilterField, string>>;

export interface LinkBase {
  readonly range: RawRange;
  readonly filters: CallFilters;
}

/** @param only values that must hold in addition @param range in place of the base's */
export function auditLogLink(base: LinkBase, only: Values = {}, range: RawRange = base.range): string {
  const filters = (Object.entries(only) as [FilterField, string][]).reduce<CallFilters>(
    (now, [field, value]) => withTerm(now, { field, value, not: false }),
    base.filters
  );
  const search = new URLSearchParams({ from: range.from, to: range.to });
  return `${pagePath(PAGES.auditLogs)}?${writeFilters(search, filters).toString()}`;
}

/** Usage counts requests that are over. */
export function requestsOnly(filters: CallFilters = NO_FILTERS): CallFilters {
  return withTerm(filters, { field: 'kind', value: 'request', not: false });
}
