/** Whatever the cut of the chunks: the texts that were sent come out, in order and byte for byte, over stdio and SSE. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventText } from './sse-event-text.ts';
import { LineFramer, toEventData, toLine } from './stdio-framing.ts';

const texts = fc.array(
  fc.json({ maxDepth: 2 }).map((text) => Buffer.from(text)),
  { maxLength: 8 }
);
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });

function* chunksOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe('messages that arrive in pieces', () => {
  it('over stdio are the lines that were written', () => {
    fc.assert(
      fc.property(texts, cuts, (sent, sizes) => {
        const framer = new LineFramer();
        const got: string[] = [];
        const bytes = Buffer.concat(sent.map(toLine));
        for (const chunk of chunksOf(bytes, sizes)) framer.push(chunk, (line) => void got.push(line.toString()));
        expect(got).toEqual(sent.map(String));
        expect(framer.pendingBytes).toBe(0);
      })
    );
  });

  it('over SSE are the events that were written, with any line end, comments and names between', () => {
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    const extra = fc.constantFrom('', ': keep-alive', 'event: message', 'id: 7', 'retry: 10');
    fc.assert(
      fc.property(texts, cuts, lineEnd, extra, (sent, sizes, end, more) => {
        const got: string[] = [];
        const take = eventText(1_000_000, (_name, text) => void got.push(text.toString()));
        const framed = sent.map((text) =>
          Buffer.concat([
            Buffer.from(more === '' ? 'data: ' : `${more}${end}data: `),
            toEventData(text),
            Buffer.from(end + end),
          ])
        );
        for (const chunk of chunksOf(Buffer.concat(framed), sizes)) take(chunk);
        expect(got).toEqual(sent.map(String));
      })
    );
  });
});
