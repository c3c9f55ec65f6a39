import { describe, expect, it } from 'vitest';
import { engineException } from './engine-exception.ts';

describe('an exception of the engine', () => {
  it.each([
    [
      'Code: 60. DB::Exception: Table d.t does not exist. (UNKNOWN_TABLE)',
      60,
      'UNKNOWN_TABLE',
      'Table d.t does not exist.',
    ],
    [
      "Code: 164. DB::Exception: Code: 164. DB::Exception: Cannot modify 'x' setting. (READONLY) (version 26.7.2.1). (READONLY)",
      164,
      'READONLY',
      "Cannot modify 'x' setting.",
    ],
    [
      'Code: 27. DB::Exception: Cannot parse input: (at row 2)\n: While executing X. (CANNOT_PARSE_INPUT)',
      27,
      'CANNOT_PARSE_INPUT',
      'Cannot parse input: (at row 2)\n: While executing X.',
    ],
    ['something else', 1002, 'UNKNOWN_EXCEPTION', 'something else'],
  ])('%s', (text, code, type, message) => {
    expect(engineException(new Error(text))).toMatchObject({ code, type, message });
  });

  it('is told as a server tells it', () => {
    const text = 'Code: 60. DB::Exception: Table d.t does not exist. (UNKNOWN_TABLE)';
    expect(engineException(new Error(text)).toString()).toBe(text);
  });
});
