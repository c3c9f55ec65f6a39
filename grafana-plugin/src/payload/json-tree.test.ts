import { describe, expect, it } from 'vitest';
import type { Json } from './json.ts';
import { CHILDREN_AT_FIRST, initialOpen, revealed, treeRows } from './json-tree.ts';
import { searchJson } from './search-json.ts';

const nothingShown = new Map<string, number>();
const paths = (value: Json, open: Iterable<string>) =>
  treeRows(value, { open: new Set(open), shown: nothingShown }).map(({ path }) => path);

describe('the rows of a JSON tree', () => {
  it('are those that are unfolded, in the order of the text', () => {
    const value = { params: { name: 'search', 'x y': [1, 2] }, id: 7 };
    expect(paths(value, [])).toEqual(['$']);
    expect(paths(value, ['$'])).toEqual(['$', '$.params', '$.id']);
    expect(paths(value, ['$', '$.params', '$.params["x y"]'])).toEqual([
      '$',
      '$.params',
      '$.params.name',
      '$.params["x y"]',
      '$.params["x y"][0]',
      '$.params["x y"][1]',
      '$.id',
    ]);
  });

  it('show the first children of a large branch and how many more there are', () => {
    const rows = treeRows(
      Array.from({ length: 1000 }, (_unused, index) => index),
      {
        open: new Set(['$']),
        shown: nothingShown,
      }
    );
    expect(rows).toHaveLength(CHILDREN_AT_FIRST + 2);
    expect(rows.at(-1)).toMatchObject({ moreOf: 1000 - CHILDREN_AT_FIRST });
  });

  it('reach a value a hundred thousand levels deep', () => {
    const depth = 100_000;
    const value = JSON.parse(`${'[['.repeat(depth / 2)}${']]'.repeat(depth / 2)}`) as Json;
    const first = initialOpen(value);
    expect(treeRows(value, { open: first, shown: nothingShown }).length).toBeLessThan(100);
  });

  it('include what was found, wherever it was folded away', async () => {
    const value = { items: Array.from({ length: 900 }, (_unused, index) => ({ note: index === 850 ? 'Needle' : '' })) };
    const found = await searchJson(value, 'needle', new AbortController().signal);
    expect(found?.paths).toEqual([['items', 850, 'note']]);
    const state = revealed({ open: new Set(), shown: new Map() }, value, ['items', 850, 'note']);
    expect(treeRows(value, state).map(({ path }) => path)).toContain('$.items[850].note');
  });

  it('take keys like __proto__ and constructor for what they are', () => {
    const value = JSON.parse('{"__proto__":{"a":1},"constructor":2}') as Json;
    expect(paths(value, ['$', '$.__proto__'])).toEqual(['$', '$.__proto__', '$.__proto__.a', '$.constructor']);
  });
});
