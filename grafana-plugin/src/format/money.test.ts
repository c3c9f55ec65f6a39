import { describe, expect, it } from 'vitest';
import { formatMoney } from './money.ts';

describe('an amount of money', () => {
  it.each([
    [0, 'EUR', '€0.00'],
    [12.345, 'EUR', '€12.35'],
    [0.000123, 'USD', '$0.00012'],
    [84_102.5, 'CHF', 'CHF 84,102.50'],
    [1_234_567, 'EUR', '€1.2M'],
    [1234, 'JPY', '¥1,234'],
    // well-formed, though nobody pays in it
    [1, 'QQQ', 'QQQ 1.00'],
  ])('of %d %s is %s', (value, currency, expected) => {
    expect(formatMoney(value, currency).replaceAll('\u00a0', ' ')).toBe(expected);
  });
});
