import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseScanner } from './sse-scanner.ts';

interface Seen {
  readonly data: string;
  readonly dataLines: number;
  readonly id?: string;
  readonly name?: string;
  /** the event's bytes, terminator included */
  readonly bytes: string;
}

/** Feeds `text` cut at `cuts` and collects events as a relay would. */
function read(text: string, cuts: readonly number[] = []): { events: Seen[]; rest: string; open: boolean } {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  const scanner = new SseScanner({ data: (piece) => pieces.push(Buffer.from(piece)) });
  const events: Seen[] = [];
  let passed: Buffer[] = [];
  const edges = [...cuts, bytes.length].map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b);
  let from = 0;
  for (const to of edges) {
    const chunk = bytes.subarray(from, to);
    from = to;
    let at = 0;
    while (at < chunk.length) {
      const next = scanner.scan(chunk, at);
      passed.push(chunk.subarray(at, next));
      at = next;
      if (scanner.event !== undefined) {
        const data = Buffer.concat(pieces.splice(0)).toString();
        events.push({ data, ...scanner.event, bytes: Buffer.concat(passed).toString() });
        passed = [];
      }
    }
  }
  return { events, rest: Buffer.concat(passed).toString(), open: scanner.open };
}

describe('events', () => {
  it.each([
    ['LF', 'data: a\n\ndata: b\n\n'],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n'],
    ['CR', 'data: a\r\rdata: b\r\r'],
    ['no space', 'data:a\n\ndata:b\n\n'],
    ['a byte order mark', '\ufeffdata: a\n\ndata: b\n\n'],
    ['more blank lines', '\n\ndata: a\n\n\n\ndata: b\n\n'],
    ['other fields and comments', ': hi\nretry: 5\nfoo: x\ndatax: y\ndata: a\n\n:\ndata: b\nda: z\n\n'],
  ])('are split with %s', (_label, text) => {
    const { events, open } = read(text);
    expect(events.filter((event) => event.dataLines > 0).map((event) => event.data)).toEqual(['a', 'b']);
    expect(open).toBe(false);
  });

  it('join data lines with a line feed and keep one space too many', () => {
    expect(read('data: a\ndata:  b\ndata\ndata:\ndata: c\n\n').events).toMatchObject([
      { data: 'a\n b\n\n\nc', dataLines: 5 },
    ]);
  });

  it('report id and name, and an event that has an id but no data', () => {
    expect(read('id: 7\nevent: message\ndata: x\n\nid: 8\ndata: \n\nid: 9\n\n').events).toMatchObject([
      { id: '7', name: 'message', data: 'x', dataLines: 1 },
      { id: '8', data: '', dataLines: 1 },
      { id: '9', dataLines: 0 },
    ]);
  });

  it('are not ended by the end of the stream', () => {
    expect(read('data: {}\n')).toMatchObject({ events: [], rest: 'data: {}\n', open: true });
    expect(read(': ping\n\n')).toMatchObject({ events: [{ dataLines: 0 }], open: false });
  });

  it('end with the first byte of the blank line end, wherever the chunks are cut', () => {
    // a client's parser ends the event at the CR; the LF that comes later belongs to it
    const scanner = new SseScanner({ data: () => undefined });
    expect(scanner.scan(Buffer.from('data: a\r\n'), 0)).toBe(9);
    expect(scanner.event).toBeUndefined();
    expect(scanner.scan(Buffer.from('\r'), 0)).toBe(1);
    expect(scanner.event).toBeDefined();
    expect(scanner.scan(Buffer.from('\ndata: b\n\n'), 0)).toBe(10);
    expect(scanner.event).toMatchObject({ dataLines: 1 });
  });
});

describe('cut anywhere', () => {
  const value = fc.string({ unit: fc.constantFrom('a', '{', ' ', ':', 'é', '𝄞', '"', 'x'), maxLength: 200 });
  const line = fc.oneof(
    fc
      .tuple(fc.constantFrom('data: ', 'data:', 'id: ', 'event: ', ': ', 'x: ', 'data'), value)
      .map(([head, tail]) => head + tail),
    fc.constant('data')
  );
  const stream = fc
    .tuple(
      fc.array(fc.array(line, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean()
    )
    .map(
      ([events, eol, mark]) =>
        (mark ? '\ufeff' : '') + events.map((lines) => lines.map((one) => one + eol).join('') + eol).join('')
    );

  it('gives the same events, and all bytes pass in order', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(800), { maxLength: 20 }), (text, cuts) => {
        const whole = read(text);
        const split = read(text, cuts);
        const strip = (events: readonly Seen[]): object[] => events.map((one) => ({ ...one, bytes: '' }));
        expect(strip(split.events)).toEqual(strip(whole.events));
        expect(split.events.map((event) => event.bytes).join('') + split.rest).toBe(text);
      }),
      { numRuns: 500 }
    );
  });

  it('reads what a line-by-line reading of the specification reads', () => {
    fc.assert(
      fc.property(stream, (text) => {
        const expected: string[] = [];
        let data: string[] = [];
        for (const one of text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
          if (one === '') {
            if (data.length > 0) expected.push(data.join('\n'));
            data = [];
          } else if (/^data(:|$)/.test(one)) {
            data.push(one.replace(/^data(: ?)?/, ''));
          }
        }
        expect(
          read(text)
            .events.filter((event) => event.dataLines > 0)
            .map((event) => event.data)
        ).toEqual(expected);
      }),
      { numRuns: 500 }
    );
  });
});
