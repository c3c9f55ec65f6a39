import { describe, expect, it } from 'vitest';
import { pathOf, type Json } from './json.ts';
import { CHILDREN_AT_FIRST, initialOpen, revealed, toggled, treeRows, type TreeState } from './json-tree.ts';
import { searchJson } from './search-json.ts';
import { Slices } from './slices.ts';

const FOLDED: TreeState = { open: new Set(), shown: new Map() };
const slices = () => new Slices({ signal: new AbortController().signal });
/** with what is at these paths unfolded, one after the other */
const paths = (value: Json, open: readonly string[]) => {
  let state = FOLDED;
  for (const path of open) {
    const row = treeRows(value, state).find((one) => pathOf(one) === path);
    if (row !== undefined) state = toggled(state, row);
  }
  return treeRows(value, state).map(pathOf);
};

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
    const value = Array.from({ length: 1000 }, (_unused, index) => index);
    const state = { open: new Set<Json>([value]), shown: new Map<Json, number>() };
    const rows = treeRows(value, state);
    expect(rows).toHaveLength(CHILDREN_AT_FIRST + 2);
    const last = rows.at(-1);
    expect(last).toMatchObject({ moreOf: 1000 - CHILDREN_AT_FIRST });
    if (last !== undefined) expect(treeRows(value, toggled(state, last))).toHaveLength(1001);
  });

  it('reach a value a hundred thousand levels deep', () => {
    const depth = 100_000;
    const value = JSON.parse(`${'[['.repeat(depth / 2)}${']]'.repeat(depth / 2)}`) as Json;
    const first = initialOpen(value);
    expect(treeRows(value, { open: first, shown: new Map() }).length).toBeLessThan(100);
  });

  it('include what was found, wherever it was folded away', async () => {
    const value = { items: Array.from({ length: 900 }, (_unused, index) => ({ note: index === 850 ? 'Needle' : '' })) };
    const finds = await searchJson(value, 'needle', slices());
    const [found] = finds?.found ?? [];
    expect(finds?.found).toHaveLength(1);
    if (found === undefined) return;
    expect(pathOf(found)).toBe('$.items[850].note');
    expect(treeRows(value, revealed(FOLDED, found)).map(pathOf)).toContain('$.items[850].note');
  });

  it('include what was found ten thousand levels deep', async () => {
    const depth = 10_000;
    const value = JSON.parse(`${'{"a":'.repeat(depth)}"needle"${'}'.repeat(depth)}`) as Json;
    const [found] = (await searchJson(value, 'needle', slices()))?.found ?? [];
    if (found === undefined) throw new Error('not found');
    const rows = treeRows(value, revealed(FOLDED, found));
    expect(rows).toHaveLength(depth + 1);
    expect(rows.at(-1)).toMatchObject({ depth, value: 'needle' });
  });

  it('take keys like __proto__ and constructor for what they are', () => {
    const value = JSON.parse('{"__proto__":{"a":1},"constructor":2}') as Json;
    expect(paths(value, ['$', '$.__proto__'])).toEqual(['$', '$.__proto__', '$.__proto__.a', '$.constructor']);
  });
});
