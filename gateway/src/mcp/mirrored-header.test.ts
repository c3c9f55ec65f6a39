import { describe, expect, it } from 'vitest';
import { decodeMirrored } from './mirrored-header.ts';

describe('a header that repeats a value', () => {
  it.each<[string, string | undefined]>([
    ['get_weather', 'get_weather'],
    ['=?base64?SGVsbG8=?=', 'Hello'],
    ['=?base64?w6k=?=', 'é'],
    ['=?base64??=', ''],
    // no sentinel on both ends: taken as it is
    ['SGVsbG8=', 'SGVsbG8='],
    ['=?base64?SGVsbG8=', '=?base64?SGVsbG8='],
    ['=?BASE64?SGVsbG8=?=', '=?BASE64?SGVsbG8=?='],
    ['=?base64?SGVsbG8?=', undefined],
    ['=?base64?SGVs!!!bG8=?=', undefined],
    ['=?base64?SGVs bG8=?=', undefined],
    ['=?base64?/w==?=', undefined],
  ])('%s', (value, expected) => {
    expect(decodeMirrored(value)).toBe(expected);
  });
});
