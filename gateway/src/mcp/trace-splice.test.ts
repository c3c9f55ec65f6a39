import { describe, expect, it } from 'vitest';
import { JsonScanner } from './scan/json-scanner.ts';
import type { TraceContextCarrier } from './observer.ts';
import { spliceTraceContext } from './trace-splice.ts';
import type { InjectMeta } from './trace-splice.ts';

function splice(text: string, trace: TraceContextCarrier, mode: InjectMeta, inSession = true): string {
  const body = Buffer.from(text);
  const scanner = new JsonScanner();
  scanner.feed(body);
  const scan = scanner.end();
  if (!scan.ok) throw new Error(scan.reason);
  const traced = scan.body.messages.map((message) => ({ message, trace }));
  const before = Buffer.from(body);
  const spliced = spliceTraceContext(body, traced, mode, inSession);
  // records hold views on the body that came
  expect(body.equals(before)).toBe(true);
  return spliced.toString();
}

const OWN = { traceparent: '00-1-2-01' };
const head = '{"jsonrpc":"2.0","id":1,"method":"ping"';

describe('the trace context in a body', () => {
  it.each([
    ['never', `${head},"params":{"_meta":{"traceparent":"x"}}}`, `${head},"params":{"_meta":{"traceparent":"x"}}}`],
    [
      'update',
      `${head},"params":{"_meta":{"traceparent":"x"}}}`,
      `${head},"params":{"_meta":{"traceparent":"00-1-2-01"}}}`,
    ],
    ['update', `${head},"params":{"_meta":{}}}`, `${head},"params":{"_meta":{}}}`],
    ['update', `${head}}`, `${head}}`],
    ['always', `${head},"params":{"_meta":{}}}`, `${head},"params":{"_meta":{"traceparent":"00-1-2-01"}}}`],
    [
      'always',
      `${head},"params":{"_meta":{"traceparent":5,"b":1}}}`,
      `${head},"params":{"_meta":{"traceparent":"00-1-2-01","b":1}}}`,
    ],
    [
      'always',
      `${head},"params":{"_meta":{"tr\\u0061ceparent":"x"}}}`,
      `${head},"params":{"_meta":{"tr\\u0061ceparent":"00-1-2-01"}}}`,
    ],
    // what is not as the specification says is left alone
    ['always', `${head},"params":{"_meta":{"traceparent":{}}}}`, `${head},"params":{"_meta":{"traceparent":{}}}}`],
    ['always', `${head},"params":[1]}`, `${head},"params":[1]}`],
    ['always', `${head},"params":{"_meta":null}}`, `${head},"params":{"_meta":null}}`],
    [
      'always',
      `[${head}},${head},"params":{}}]`,
      `[${head},"params":{"_meta":{"traceparent":"00-1-2-01"}}},${head},"params":{"_meta":{"traceparent":"00-1-2-01"}}}]`,
    ],
  ] as const)('%s: %s', (mode, text, expected) => {
    expect(splice(text, OWN, mode)).toBe(expected);
  });

  it('makes no _meta outside a session, where it would mean another protocol era, but uses one that is there', () => {
    expect(splice(`${head}}`, OWN, 'always', false)).toBe(`${head}}`);
    expect(splice(`${head},"params":{}}`, OWN, 'always', false)).toBe(`${head},"params":{}}`);
    const stateless = (more: string): string => `${head},"params":{"_meta":{${more}"a":1}}}`;
    expect(splice(stateless(''), OWN, 'always', false)).toBe(stateless('"traceparent":"00-1-2-01",'));
  });

  it('brings its state along where there was no context, and changes nothing without one of its own', () => {
    const trace = { ...OWN, tracestate: 'a=b' };
    expect(splice(`${head}}`, trace, 'always')).toBe(
      `${head},"params":{"_meta":{"traceparent":"00-1-2-01","tracestate":"a=b"}}}`
    );
    expect(splice(`${head}}`, {}, 'always')).toBe(`${head}}`);
  });
});
