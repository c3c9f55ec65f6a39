import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from './cursor.ts';

const POSITION = { startedNs: 1_795_508_093_159_741_218n, callId: '019a1b2c-3d4e-7f00-8abc-0123456789ab' };

test('comes back as it went out, to the nanosecond', () => {
  expect(decodeCursor(encodeCursor(POSITION))).toEqual(POSITION);
});

test('may name a time alone, where a search stopped', () => {
  const position = { startedNs: 7n, callId: '' };
  expect(decodeCursor(encodeCursor(position))).toEqual(position);
});

/** The last of 59 bytes leaves two bits of the last letter unused; this sets one of them. */
function withTrailingBits(cursor: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return cursor.slice(0, -1) + alphabet.charAt(alphabet.indexOf(cursor.slice(-1)) + 1);
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');

test.each([
  ['empty', ''],
  ['noise', 'AAAA'],
  ['another version', encode('c2 1 a')],
  ['no separator before the id', encode('c1 1')],
  ['SQL for an id', encode("c1 1 ' OR 1=1 --")],
  ['a negative time', encode('c1 -1 a')],
  ['a time beyond the type', encode('c1 9223372036854775807 a')],
  ['a leading zero', encode('c1 01 a')],
  ['padding', `${encodeCursor(POSITION)}=`],
  ['trailing bits', withTrailingBits(encodeCursor(POSITION))],
  ['a cut', encodeCursor(POSITION).slice(0, 10)],
  ['JSON', encode('{"startedNs":1}')],
])('refuses a cursor that was tampered with: %s', (_how, cursor) => {
  expect(() => decodeCursor(cursor)).toThrow('cursor: use nextCursor');
});
