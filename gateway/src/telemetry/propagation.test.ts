import { describe, expect, it } from 'vitest';
import { incomingTrace, outgoingTrace, parseBaggage, parseTraceparent, parseTracestate } from './propagation.ts';

const A = `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01`;
const B = `00-${'b'.repeat(32)}-${'2'.repeat(16)}-00`;

describe('trace context in', () => {
  it('takes _meta for the parent and HTTP for a link', () => {
    const { parent, link } = incomingTrace({ traceparent: A }, { traceparent: B });
    expect(parent).toEqual({ traceId: 'a'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1, isRemote: true });
    expect(link).toEqual({ traceId: 'b'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0, isRemote: true });
  });

  it('takes HTTP for the parent when _meta has none or a malformed one', () => {
    for (const meta of [undefined, {}, { traceparent: 'marker' }]) {
      const { parent, link } = incomingTrace(meta, { traceparent: B });
      expect([parent?.spanId, link]).toEqual(['2'.repeat(16), undefined]);
    }
  });

  it('makes no link to the parent itself', () => {
    expect(incomingTrace({ traceparent: A }, { traceparent: A }).link).toBeUndefined();
  });

  it.each([
    ['empty', ''],
    ['too short', '00-abc-def-01'],
    ['capital letters', A.toUpperCase()],
    ['a zero trace id', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`],
    ['a zero span id', `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`],
    ['version ff', `ff${A.slice(2)}`],
    ['version 00 with more fields', `${A}-more`],
    ['a very long one', `01${A.slice(2)}-${'x'.repeat(1000)}`],
  ])('ignores %s', (_what, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it('reads a later version that has more fields', () => {
    expect(parseTraceparent(`01${A.slice(2)}-more`)?.spanId).toBe('1'.repeat(16));
  });
});

describe('trace context out', () => {
  it('keeps the sampled flag and passes tracestate and baggage on', () => {
    const incoming = incomingTrace({ traceparent: A, tracestate: 'v=1', baggage: 'k=v' }, undefined);
    expect(outgoingTrace('c'.repeat(32), 'd'.repeat(16), 0, incoming)).toEqual({
      traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-00`,
      tracestate: 'v=1',
      baggage: 'k=v',
    });
  });

  it('drops a tracestate whose traceparent is malformed', () => {
    const incoming = incomingTrace({ traceparent: 'x', tracestate: 'v=1' }, undefined);
    expect(outgoingTrace('c'.repeat(32), 'd'.repeat(16), 1, incoming)).toEqual({
      traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`,
    });
  });

  it.each([
    ['a=1, b=2,,c=3', 'a=1,b=2,c=3'],
    ['', undefined],
    ['A=1', undefined],
    ['a=1,no member', undefined],
    ['a=1\r\nx: y', undefined],
    [Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(','), undefined],
    [
      `a=1,b=${'x'.repeat(250)},c=${'x'.repeat(250)},d=${'x'.repeat(250)}`,
      `a=1,b=${'x'.repeat(250)},c=${'x'.repeat(250)}`,
    ],
  ])('tracestate %#', (text, expected) => {
    expect(parseTracestate(text)).toBe(expected);
  });

  it.each([
    ['user=ana;p=1, k = v', true],
    ['no member', false],
    ['k=v\r\nx: y', false],
    ['k="v"', false],
    [`k=${'x'.repeat(8192)}`, false],
    [Array.from({ length: 65 }, (_, i) => `k${i}=v`).join(','), false],
  ])('baggage %#', (text, passes) => {
    expect(parseBaggage(text)).toBe(passes ? text : undefined);
  });

  it('answers hostile text in time', () => {
    const started = performance.now();
    parseBaggage('a='.repeat(4000));
    parseBaggage(`a=${';'.repeat(8000)}\n`);
    parseBaggage(`a=1${' \t;'.repeat(2700)}\n`);
    parseBaggage(`a=1${' ;'.repeat(4000)}"`);
    parseTraceparent(`01${A.slice(2)}-${'-'.repeat(400)}\n`);
    parseTracestate(`a=${' '.repeat(8000)}`);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
