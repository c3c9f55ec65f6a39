/** What every route of Usage does first and says in every answer: the range, the filter, whose calls these are. */
import type { Context } from 'hono';
import type { CallFilter, TimeWindow } from '../../store/queries/scope.ts';
import type { TokenPrices } from '../../store/queries/token-cost.ts';
import { SettledParts } from '../../store/queries/usage-range.ts';
import type { CallFilterQuery } from '../contract/filters.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { askedFilter } from '../own-calls-only.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant, recentRange } from '../time-range.ts';
import type { Visibility } from '../visibility.ts';

export interface UsageAsked {
  readonly visibility: Visibility;
  readonly range: TimeWindow;
  readonly filter: CallFilter;
  /** ns since 1970 */
  readonly nowNs: bigint;
  /** undefined: nothing has a price */
  readonly prices: TokenPrices | undefined;
  /** of this answer */
  readonly settled: SettledParts;
  readonly signal: AbortSignal;
}

type Query = CallFilterQuery & { readonly from?: string | undefined; readonly to?: string | undefined };

/** Throws ApiError. */
export async function usageAsked(c: Context<ApiEnv>, deps: RouteDeps, query: Query): Promise<UsageAsked> {
  const visibility = await requireSight(c, deps.refusals, 'usage.read');
  const now = nowNs(deps.clock);
  const range = recentRange(query, now);
  const { signal } = c.req.raw;
  const filter = await askedFilter(c, deps, visibility, query, { signal, action: 'usage.read' });
  const prices = deps.tokenPrices?.();
  return { visibility, range, filter, nowNs: now, prices, settled: new SettledParts(), signal };
}

export function usageHead({ range, visibility, filter }: Pick<UsageAsked, 'range' | 'visibility' | 'filter'>) {
  return {
    from: formatInstant(range.fromNs),
    to: formatInstant(range.toNs),
    scope: visibility.usage === 'all' ? ('all' as const) : ('own' as const),
    demo: filter.demo,
  };
}

/** The same of answers with costs. */
export function pricedHead(asked: Pick<UsageAsked, 'range' | 'visibility' | 'filter' | 'prices'>) {
  return { ...usageHead(asked), ...(asked.prices === undefined ? {} : { currency: asked.prices.currency }) };
}
