/**
 * What estimated tokens cost, as SQL over usage-source.ts: a price for each server and tool, the first rule that matches.
 * Prices are whole millionths and sums are whole numbers, so parts add up to the total exactly. Patterns and prices are
 * bound; only their number shapes the SQL.
 */
import type { QueryParam } from './reader.ts';

/** `usage.cost` of the configuration. */
export interface TokenPrices {
  readonly currency: string;
  /** at most six decimals */
  readonly perMillionTokens: number;
  /** patterns: `*` stands for any run of characters; the first that matches decides */
  readonly rules: readonly { readonly server: string; readonly tool: string; readonly perMillionTokens: number }[];
}

const MICROS = 1_000_000;
/** A millionth for a million tokens. */
const UNITS = MICROS * MICROS;

/** Whether a price depends on the tool, so that sums need it. */
export function pricesByTool(prices: TokenPrices | undefined): boolean {
  return prices?.rules.some(({ tool }) => tool !== '*') ?? false;
}

/** `, … AS cost` for the columns of a query, or nothing. */
export function costColumn(prices: TokenPrices | undefined): string {
  if (prices === undefined) return '';
  const rules = prices.rules.map((rule, index) => {
    const matches = [
      ...(rule.server === '*' ? [] : [`server_name LIKE {priceServer${index}:String}`]),
      ...(rule.tool === '*' ? [] : [`tool_name LIKE {priceTool${index}:String}`]),
    ];
    return `${matches.length === 0 ? '1 = 1' : matches.join(' AND ')}, {price${index}:UInt64}, `;
  });
  const price = rules.length === 0 ? '{price:UInt64}' : `multiIf(${rules.join('')}{price:UInt64})`;
  return `, sum(toUInt128(tokens_n) * toUInt128(${price})) AS cost`;
}

export function costParams(prices: TokenPrices | undefined): Record<string, QueryParam> {
  if (prices === undefined) return {};
  const params: Record<string, QueryParam> = { price: micros(prices.perMillionTokens) };
  prices.rules.forEach(({ server, tool, perMillionTokens }, index) => {
    if (server !== '*') params[`priceServer${index}`] = likePattern(server);
    if (tool !== '*') params[`priceTool${index}`] = likePattern(tool);
    params[`price${index}`] = micros(perMillionTokens);
  });
  return params;
}

/** From the column to an amount of money. */
export function costOf(cost: number | string): number {
  return Number(cost) / UNITS;
}

function micros(perMillionTokens: number): number {
  return Math.round(perMillionTokens * MICROS);
}

function likePattern(pattern: string): string {
  return pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}
