/**
 * A JSON value as the rows of a tree: only what is unfolded, and of large branches only the first children until more are
 * asked for, so that five megabytes cost what is looked at. Iterative: depth is bounded by memory, not by the stack.
 */
import { childCount, isBranch, isRecord, type Json, type JsonPlace, type JsonStep } from './json.ts';

export interface TreeRow extends JsonPlace {
  readonly depth: number;
  readonly isOpen: boolean;
  /** in place of a value: how many more children the parent has */
  readonly moreOf?: number;
}

/** Branches are known by themselves: nothing in a parsed value is in it twice. */
export interface TreeState {
  readonly open: ReadonlySet<Json>;
  /** children that are shown of a branch; `CHILDREN_AT_FIRST` where it is not said */
  readonly shown: ReadonlyMap<Json, number>;
}

export const CHILDREN_AT_FIRST = 200;
/** rows that are unfolded without asking */
const ROWS_AT_FIRST = 60;

export function treeRows(root: Json, { open, shown }: TreeState): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  const rowOf = (parent: TreeRow | undefined, step: JsonStep | undefined, value: Json): TreeRow => ({
    parent,
    step,
    value,
    depth: parent === undefined ? 0 : parent.depth + 1,
    isOpen: isBranch(value) && open.has(value),
  });
  // last in, first out: children are pushed in reverse
  const waiting: TreeRow[] = [rowOf(undefined, undefined, root)];
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    rows.push(row);
    if (!row.isOpen) continue;
    const limit = shown.get(row.value) ?? CHILDREN_AT_FIRST;
    const rest = childCount(row.value) - limit;
    if (rest > 0) {
      waiting.push({ ...rowOf(row, undefined, row.value), isOpen: false, moreOf: rest });
    }
    for (const [step, child] of firstChildren(row.value, limit).reverse()) waiting.push(rowOf(row, step, child));
  }
  return rows;
}

/** Unfolds level by level until a screenful is there. */
export function initialOpen(root: Json): ReadonlySet<Json> {
  const open = new Set<Json>();
  let level: readonly Json[] = [root];
  let rows = 1;
  while (level.length > 0) {
    const next: Json[] = [];
    for (const value of level) {
      const count = Math.min(childCount(value), CHILDREN_AT_FIRST);
      if (!isBranch(value) || (rows + count > ROWS_AT_FIRST && value !== root)) continue;
      open.add(value);
      rows += count;
      for (const [, child] of firstChildren(value, ROWS_AT_FIRST)) {
        if (isBranch(child)) next.push(child);
      }
    }
    level = next;
  }
  return open;
}

/** State in which the value at `place` is a row. */
export function revealed(state: TreeState, place: JsonPlace): TreeState {
  const open = new Set(state.open);
  const shown = new Map(state.shown);
  for (let one = place; one.parent !== undefined && one.step !== undefined; one = one.parent) {
    const { value } = one.parent;
    open.add(value);
    const index = typeof one.step === 'number' ? one.step : Object.keys(value ?? {}).indexOf(one.step);
    if (index >= (shown.get(value) ?? CHILDREN_AT_FIRST)) shown.set(value, index + CHILDREN_AT_FIRST);
  }
  return { open, shown };
}

/** Folds, unfolds, or shows more of a branch. */
export function toggled({ open, shown }: TreeState, { value, moreOf }: TreeRow): TreeState {
  if (moreOf !== undefined) {
    const more = new Map(shown);
    more.set(value, (shown.get(value) ?? CHILDREN_AT_FIRST) + 5 * CHILDREN_AT_FIRST);
    return { open, shown: more };
  }
  if (!isBranch(value)) return { open, shown };
  const next = new Set(open);
  if (!next.delete(value)) next.add(value);
  return { open: next, shown };
}

function firstChildren(value: Json, limit: number): [JsonStep, Json][] {
  if (Array.isArray(value)) return (value as readonly Json[]).slice(0, limit).map((child, index) => [index, child]);
  if (!isRecord(value)) return [];
  return Object.keys(value)
    .slice(0, limit)
    .map((key) => [key, value[key] ?? null]);
}
