import { describe, expect, it } from 'vitest';
import { isGatelensError } from '../../errors.ts';
import { LineFramer, toEventData, toLine } from './stdio-framing.ts';

function linesOf(chunks: readonly Uint8Array[], maxLineBytes?: number): string[] {
  const framer = new LineFramer(maxLineBytes === undefined ? {} : { maxLineBytes });
  const lines: string[] = [];
  const keep = (line: Buffer): void => void lines.push(line.toString());
  for (const chunk of chunks) framer.push(chunk, keep);
  framer.end(keep);
  return lines;
}

describe('LineFramer', () => {
  const text = '{"a":"é€😀"}\n\n{"b":2}\r\n{"last":true}';
  const whole = Buffer.from(text);
  const expected = ['{"a":"é€😀"}', '', '{"b":2}\r', '{"last":true}'];

  it('finds the same lines wherever the bytes are split, inside characters too', () => {
    for (let first = 0; first <= whole.length; first += 1) {
      for (let second = first; second <= whole.length; second += 1) {
        const chunks = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)];
        expect(linesOf(chunks)).toEqual(expected);
      }
    }
  });

  it('finds them byte by byte', () => {
    expect(linesOf([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('gives out lines that later chunks do not overwrite', () => {
    const framer = new LineFramer();
    const lines: Buffer[] = [];
    for (const chunk of ['on', 'e\ntw', 'o\n', 'three\n']) framer.push(Buffer.from(chunk), (line) => lines.push(line));
    expect(lines.map(String)).toEqual(['one', 'two', 'three']);
  });

  it.each([
    ['in one chunk', ['123456789\n']],
    ['over many chunks, before its newline comes', ['12345', '6789']],
    ['after a good line', ['ok\n123456789\n']],
  ])('refuses a line over the limit %s without telling its text', (_where, chunks) => {
    const refused = (): unknown =>
      linesOf(
        chunks.map((chunk) => Buffer.from(chunk)),
        8
      );
    expect(refused).toThrow(/longer than 8 bytes/);
    try {
      refused();
    } catch (error) {
      expect(isGatelensError(error, 'upstream_protocol')).toBe(true);
      expect(String(error)).not.toContain('12345');
    }
  });

  it('accepts a line of exactly the limit', () => {
    expect(linesOf([Buffer.from('1234'), Buffer.from('5678\n')], 8)).toEqual(['12345678']);
  });
});

describe('toLine and toEventData', () => {
  it('put a pretty-printed message on one line and leave escapes alone', () => {
    const pretty = Buffer.from('{\r\n  "a": "x\\ny\\r",\n  "b": 1\r}');
    expect(toLine(pretty).toString()).toBe('{    "a": "x\\ny\\r",   "b": 1 }\n');
    expect(Buffer.from(toEventData(pretty)).toString()).toBe('{    "a": "x\\ny\\r",   "b": 1 }');
    expect(pretty.includes('\n')).toBe(true);
  });
});
