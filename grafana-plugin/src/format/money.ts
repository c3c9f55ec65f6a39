/** Amounts of money in the currency that is configured; nothing is converted. Small ones keep two digits that say something. */

const CENT = 0.01;
const COMPACT_FROM = 100_000;

/** @param currency as in ISO 4217 */
export function formatMoney(value: number, currency: string): string {
  const isSmall = value > 0 && value < CENT;
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    ...(isSmall ? { maximumSignificantDigits: 2 } : {}),
    ...(value >= COMPACT_FROM ? { notation: 'compact', maximumFractionDigits: 1 } : {}),
  }).format(value);
}
