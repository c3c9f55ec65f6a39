import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadPreview } from './payload-preview.ts';
import { createRedaction } from './redaction.ts';

type Format = 'json' | 'sse' | 'text';

function preview(
  cut: string | Uint8Array,
  format: Format = 'json',
  dropCutWord = false
): { format: Format; text: string } {
  const bytes = typeof cut === 'string' ? Buffer.from(cut) : cut;
  const result = payloadPreview({ format, bytes }, { dropCutWord });
  return { format: result.format, text: Buffer.from(result.bytes).toString() };
}

/** Everything in the preview is in the whole, in the same place; only strings may be shorter. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (typeof part === 'string') return typeof whole === 'string' && whole.startsWith(part.replace(/\ufffd$/, ''));
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((one, at) => isPartOf(one, whole[at]));
  if (typeof part === 'object' && part !== null) {
    if (typeof whole !== 'object' || whole === null) return false;
    const entries = whole as Record<string, unknown>;
    return Object.entries(part).every(([key, value]) => Object.hasOwn(entries, key) && isPartOf(value, entries[key]));
  }
  return Object.is(part, whole);
}

describe('preview of a cut payload', () => {
  it.each([
    ['{"a":"hello wor', '{"a":"hello wor"}'],
    ['{"a":1,"b":[1,2,{"c":"x', '{"a":1,"b":[1,2,{"c":"x"}]}'],
    ['{"a":1,"b":12', '{"a":1}'],
    ['{"a":1,"b":12 ', '{"a":1,"b":12}'],
    ['{"a":1,"b":tru', '{"a":1}'],
    ['{"a":1,"b":', '{"a":1}'],
    ['{"a":1,"b', '{"a":1}'],
    ['{"a":1,"b"', '{"a":1}'],
    ['{"a":1,', '{"a":1}'],
    ['{"a":[1,', '{"a":[1]}'],
    ['{"a":[', '{"a":[]}'],
    ['{"a":{"b":{', '{"a":{"b":{}}}'],
    ['{', '{}'],
    ['[[1],[2', '[[1],[]]'],
    [String.raw`{"a":"x\n`, String.raw`{"a":"x\n"}`],
    ['{"a":"x\\', '{"a":"x"}'],
    [String.raw`{"a":"x\\`, String.raw`{"a":"x\\"}`],
    [String.raw`{"a":"x\u00`, '{"a":"x"}'],
    [String.raw`{"a":"x\u00e9`, String.raw`{"a":"x\u00e9"}`],
    [String.raw`{"a":"x\\u00`, String.raw`{"a":"x\\u00"}`],
    ['"just a str', '"just a str"'],
    ['{"a":"x"} ', '{"a":"x"}'],
  ])('%s becomes %s', (cut, shown) => {
    expect(preview(cut)).toEqual({ format: 'json', text: shown });
  });

  it('is valid JSON and a part of the whole, wherever it was cut', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.object({ maxDepth: 5, withNullPrototype: false }), fc.array(fc.jsonValue({ maxDepth: 4 }))),
        fc.constantFrom(undefined, 1),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        (value, indent, share, dropCutWord) => {
          const whole = Buffer.from(JSON.stringify(value, undefined, indent));
          const cut = whole.subarray(0, Math.max(1, Math.floor(whole.length * share)));
          const { format, text } = preview(cut, 'json', dropCutWord);
          expect(format).toBe('json');
          expect(isPartOf(JSON.parse(text), JSON.parse(whole.toString()))).toBe(true);
        }
      ),
      { numRuns: 500 }
    );
  });

  it.each(['tru', '12', '{"a":nonsense,"b":"', '}{', '<html>'])('calls %s text, as nothing valid is in it', (cut) => {
    expect(preview(cut)).toEqual({ format: 'text', text: cut });
  });

  it('does not cut a character in two', () => {
    const whole = Buffer.from('{"a":"grüße 🎉"}');
    for (let at = 7; at < whole.length; at++) {
      expect(preview(whole.subarray(0, at)).text).not.toContain('\ufffd');
      expect(preview(whole.subarray(0, at), 'text').text).not.toContain('\ufffd');
    }
  });

  it('keeps bytes that are no UTF-8 as they are, as text', () => {
    const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x00]);
    expect(payloadPreview({ format: 'json', bytes }, { dropCutWord: false })).toEqual({ format: 'text', bytes });
  });

  it('keeps whole events of a stream, and of the cut one its JSON as far as it came', () => {
    expect(preview('id: 1\ndata: {"a":1}\n\nid: 2\ndata: {"b":"xy', 'sse').text).toBe(
      'id: 1\ndata: {"a":1}\n\nid: 2\ndata: {"b":"xy"}\n\n'
    );
    expect(preview('id: 1\r\ndata: {"b":["xy', 'sse').text).toBe('id: 1\r\ndata: {"b":["xy"]}\r\n\r\n');
    expect(preview('data: {"a":1}\n\nda', 'sse').text).toBe('data: {"a":1}\n\n');
    expect(preview('data: {"a":1}\n\nid: 7\nevent: message', 'sse').text).toBe('data: {"a":1}\n\n');
    expect(preview('data: {"a":1}\n', 'sse').text).toBe('data: {"a":1}\n\n');
  });

  it('stays quick on very many brackets and quotes', () => {
    const started = performance.now();
    for (const piece of ['[', '{"a":', '"', '\\', '{"a":"\\\\', '[1,']) preview(piece.repeat(262_144 / piece.length));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('a secret across the cut', () => {
  const redaction = createRedaction();
  const SECRETS = [
    'ghp_0123456789abcdefghij0123456789abcdef',
    'sk-proj-Ab1Cd2Ef3Gh4Ij5Kl6Mn7',
    '4111 1111 1111 1111',
    'postgres://ana:Zq7hunter2Xw@db/x',
    'Bearer Zq7hunter2XwZq7hunter2Xw',
    'password="Zq7hunter2Xw"',
    '--token Zq7hunter2Xw',
    '-----BEGIN PRIVATE KEY-----\nZq7hunter2Xw\nZq7hunter2Xw\n-----END PRIVATE KEY-----',
  ];
  /** Any six letters or digits of what must stay secret. */
  const leaks = (text: string, secret: string): boolean => {
    const core = (/Zq7hunter2Xw|ghp_\w+|sk-proj-\w+/.exec(secret)?.[0] ?? secret).replace(/^(?:ghp_|sk-proj-)/, '');
    for (let at = 0; at + 6 <= core.length; at++) if (text.includes(core.slice(at, at + 6))) return true;
    return false;
  };
  const WRAPPERS: [string, Format, (secret: string) => string][] = [
    ['JSON', 'json', (secret) => JSON.stringify({ params: { arguments: { note: `see ${secret} there` } } })],
    [
      'JSON, by key',
      'json',
      (secret) => JSON.stringify({ params: { arguments: { x: 1, api_key: `${secret} there` } } }),
    ],
    ['JSON in a string', 'json', (secret) => JSON.stringify({ text: JSON.stringify({ note: `see ${secret} there` }) })],
    ['a stream', 'sse', (secret) => `data: ${JSON.stringify({ note: `see ${secret} there` })}\n\n`],
    ['text', 'text', (secret) => `see ${secret} there`],
  ];
  it.each(WRAPPERS)('is not half shown in %s', (_, format, wrap) => {
    for (const secret of SECRETS) {
      const whole = Buffer.from(wrap(secret));
      for (let at = 1; at < whole.length; at++) {
        const cut = payloadPreview({ format, bytes: whole.subarray(0, at) }, { dropCutWord: true });
        const shown = Buffer.from(redaction.body(cut).bytes).toString();
        expect(leaks(shown, secret), `${secret} cut at ${at}: ${shown}`).toBe(false);
      }
    }
  });
});
