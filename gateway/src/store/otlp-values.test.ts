import { describe, expect, it } from 'vitest';
import type { AnyValue, Long64 } from './otlp-schema.ts';
import { attributeMap, toHex, toTimestamp, valueText } from './otlp-values.ts';

const long = (value: bigint, unsigned = false): Long64 => ({
  low: Number(BigInt.asIntN(32, value)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
  unsigned,
});

describe('a value as the collector stores it', () => {
  it.each<[string, AnyValue | undefined, string]>([
    ['nothing', undefined, ''],
    ['an empty value', {}, ''],
    ['text', { stringValue: 'é😀\n<&>' }, 'é😀\n<&>'],
    ['empty text', { stringValue: '' }, ''],
    ['true', { boolValue: true }, 'true'],
    ['false', { boolValue: false }, 'false'],
    ['0', { intValue: long(0n) }, '0'],
    ['the smallest int64', { intValue: long(-(1n << 63n)) }, '-9223372036854775808'],
    ['the largest int64', { intValue: long((1n << 63n) - 1n) }, '9223372036854775807'],
    ['a whole double', { doubleValue: 3 }, '3'],
    ['a double', { doubleValue: 0.1 }, '0.1'],
    ['a large double', { doubleValue: 1e21 }, '1e+21'],
    ['a small double', { doubleValue: 1e-7 }, '1e-7'],
    ['NaN', { doubleValue: Number.NaN }, 'NaN'],
    ['infinity', { doubleValue: Number.POSITIVE_INFINITY }, 'Infinity'],
    ['bytes', { bytesValue: new Uint8Array([0, 255, 16]) }, 'AP8Q'],
    ['an empty array', { arrayValue: {} }, '[]'],
    [
      'an array of everything',
      {
        arrayValue: {
          values: [
            { stringValue: 'a"b<' },
            { intValue: long(9007199254740993n) },
            { doubleValue: 1.5 },
            { boolValue: false },
            { bytesValue: new Uint8Array([1]) },
            {},
            { arrayValue: { values: [{ stringValue: '\u2028' }] } },
          ],
        },
      },
      '["a\\"b<",9007199254740993,1.5,false,"AQ==",null,["\\u2028"]]',
    ],
    [
      'a map, its keys sorted',
      {
        kvlistValue: {
          values: [
            { key: 'b', value: { intValue: long(1n) } },
            { key: 'a', value: { kvlistValue: {} } },
          ],
        },
      },
      '{"a":{},"b":1}',
    ],
    ['what Go refuses to write as JSON', { arrayValue: { values: [{ doubleValue: Number.NaN }] } }, ''],
  ])('%s', (_name, value, text) => {
    expect(valueText(value)).toBe(text);
  });
});

describe('attributes', () => {
  it('keep hostile names as names, and the first of equal ones', () => {
    const map = attributeMap([
      { key: '__proto__', value: { stringValue: 'p' } },
      { key: 'a', value: { stringValue: '1' } },
      { key: 'a', value: { stringValue: '2' } },
      { value: { stringValue: 'no key' } },
    ]);
    expect(JSON.stringify(map)).toBe('{"__proto__":"p","a":"1","":"no key"}');
  });
});

describe('ids and times', () => {
  it('are hex, or empty when all zero', () => {
    expect(toHex(new Uint8Array([0, 171]))).toBe('00ab');
    expect(toHex(new Uint8Array(16))).toBe('');
    expect(toHex(undefined)).toBe('');
  });

  it.each([
    [0n, '0.000000000'],
    [1763971200123456789n, '1763971200.123456789'],
    [(1n << 64n) - 1n, '3786912000.000000000'],
  ])('%d ns', (ns, text) => {
    expect(toTimestamp(long(ns, true))).toBe(text);
  });
});
