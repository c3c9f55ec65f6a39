/**
 * How often each value occurs: the most frequent ones of each column, over the calls that fit the other filters. Columns
 * that are not filtered are counted in one pass, each filtered one in a pass of its own.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import type { CallFilter, Conditions, FilterName, TimeWindow } from './scope.ts';
import { conditions, FILTER_COLUMN, filtersBy, IN_RANGE, matchesNothing, rangeParams, without } from './scope.ts';

export interface FacetCount<Name extends FilterName> {
  readonly field: Name;
  readonly values: readonly { readonly value: string; readonly calls: number }[];
  /** values there are, cut ones included */
  readonly distinct: number;
  /** calls there are, those of cut values included */
  readonly calls: number;
}

type FacetRow = Readonly<Record<string, string | number>> & {
  /** one bit a column, 0 for the one that was counted, the first column the highest */
  readonly level: number;
  readonly calls: number | string;
  readonly distinct_values: number | string;
  readonly all_calls: number | string;
};

function facetsSql(columns: readonly string[], { sql: where, stable }: Conditions): string {
  const sets = columns.map((column) => `(${column})`).join(', ');
  return `SELECT *, count() OVER (PARTITION BY level) AS distinct_values, sum(calls) OVER (PARTITION BY level) AS all_calls
FROM (
    SELECT toUInt32(grouping(${columns.join(', ')})) AS level, ${columns.join(', ')}, count() AS calls
    FROM mcp.calls FINAL
    PREWHERE ${stable}
    WHERE ${IN_RANGE} AND ${where}
    GROUP BY GROUPING SETS (${sets})
)
ORDER BY level, calls DESC, ${columns.join(', ')}
LIMIT {limit:UInt32} BY level
${QUERY_SETTINGS}`;
}

export interface FacetsRequest<Name extends FilterName> {
  readonly range: TimeWindow;
  readonly fields: readonly Name[];
  /** values of each */
  readonly limit: number;
}

/** In the order of `fields`. */
export async function countFacets<Name extends FilterName>(
  store: StoreReader,
  visibility: Visibility,
  filter: CallFilter,
  { range, fields, limit }: FacetsRequest<Name>,
  options: QueryOptions = {}
): Promise<FacetCount<Name>[]> {
  const count = async (names: readonly Name[], asked: CallFilter): Promise<FacetCount<Name>[]> => {
    const nothing = names.map((field) => ({ field, values: [], distinct: 0, calls: 0 }));
    if (names.length === 0 || matchesNothing(visibility, asked)) return nothing;
    const where = conditions(visibility, asked);
    const columns = names.map((name) => FILTER_COLUMN[name]);
    const bound = { ...where.params, ...rangeParams(range), limit };
    const rows = await store.query<FacetRow>(facetsSql(columns, where), bound, options);
    return names.map((field, index) => facetOf(field, rows, columns, index));
  };
  const filtered = fields.filter((name) => filtersBy(filter, name));
  const counted = await Promise.all([
    count(
      fields.filter((name) => !filtersBy(filter, name)),
      filter
    ),
    ...filtered.map((name) => count([name], without(filter, name))),
  ]);
  return counted.flat().sort((a, b) => fields.indexOf(a.field) - fields.indexOf(b.field));
}

function facetOf<Name extends FilterName>(
  field: Name,
  rows: readonly FacetRow[],
  columns: readonly string[],
  index: number
): FacetCount<Name> {
  const level = (1 << columns.length) - 1 - (1 << (columns.length - 1 - index));
  const own = rows.filter((row) => row.level === level);
  const column = columns[index] ?? '';
  return {
    field,
    values: own.map((row) => ({ value: String(row[column] ?? ''), calls: Number(row.calls) })),
    distinct: Number(own[0]?.distinct_values ?? 0),
    calls: Number(own[0]?.all_calls ?? 0),
  };
}
