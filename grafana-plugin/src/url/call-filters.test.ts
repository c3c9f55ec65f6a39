import { describe, expect, it } from 'vitest';
import { filterQuery, NO_FILTERS, readFilters, withTerm, writeFilters, type CallFilters } from './call-filters.ts';

const read = (text: string): CallFilters => readFilters(new URLSearchParams(text));

describe('filters in the address', () => {
  it.each([
    'server=github&server=files&notOutcome=success',
    'q=a+b%26c&minDurationMs=0.5&maxDurationMs=2000&demo=true',
    'user=ana%40example.com&notTool=%28none%29&traceId=4bf92f3577b34da6a3ce929d0e0e4736',
  ])('%s reads and writes back the same', (text) => {
    const written = writeFilters(new URLSearchParams(), read(text));
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(new URLSearchParams(text)));
    expect(readFilters(written)).toEqual(read(text));
  });

  it('leaves everything else in the address alone', () => {
    const written = writeFilters(new URLSearchParams('from=now-7d&call=x&server=old'), NO_FILTERS);
    expect(written.toString()).toBe('from=now-7d&call=x');
  });

  it.each(['minDurationMs=abc', 'minDurationMs=-1', 'server=', 'notTraceId=x', 'constructor=x', 'demo=yes'])(
    'takes %s for no filter',
    (text) => {
      expect(read(text)).toEqual(NO_FILTERS);
    }
  );

  it('asks for several values of one field by its name, and for excluded ones by the twin', () => {
    const filters = read('server=a&server=b&notServer=c&outcome=denied');
    expect(filterQuery(filters)).toEqual({ server: ['a', 'b'], notServer: ['c'], outcome: ['denied'] });
  });

  it('turns a value round instead of asking for it and against it at once', () => {
    const wanted = withTerm(NO_FILTERS, { field: 'server', value: 'a', not: false });
    const turned = withTerm(wanted, { field: 'server', value: 'a', not: true });
    expect(turned.terms).toEqual([{ field: 'server', value: 'a', not: true }]);
  });
});
