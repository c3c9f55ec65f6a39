/**
 * A JSON value as the rows of a tree: only what is unfolded, and of large branches only the first children until more are
 * asked for, so that five megabytes cost what is looked at. Iterative: depth is bounded by memory, not by the stack.
 */
import { childCount, childPath, isBranch, isRecord, type Json, type JsonStep } from './json.ts';

export interface TreeRow {
  readonly path: string;
  readonly depth: number;
  /** undefined at the root */
  readonly step: JsonStep | undefined;
  readonly value: Json;
  readonly isOpen: boolean;
  /** in place of a value: how many more children this branch has */
  readonly moreOf?: number;
}

export interface TreeState {
  readonly open: ReadonlySet<string>;
  /** children that are shown, by path; `CHILDREN_AT_FIRST` where it is not said */
  readonly shown: ReadonlyMap<string, number>;
}

export const CHILDREN_AT_FIRST = 200;
/** rows that are unfolded without asking */
const ROWS_AT_FIRST = 60;

export function treeRows(root: Json, { open, shown }: TreeState): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  // last in, first out: children are pushed in reverse
  const waiting: TreeRow[] = [rowOf('$', undefined, 0, root, open)];
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    rows.push(row);
    if (!row.isOpen || row.moreOf !== undefined || !isBranch(row.value)) continue;
    const { path, depth, value } = row;
    const limit = shown.get(path) ?? CHILDREN_AT_FIRST;
    const rest = childCount(value) - limit;
    if (rest > 0) {
      waiting.push({ path, depth: depth + 1, step: undefined, value, isOpen: false, moreOf: rest });
    }
    const children = firstChildren(value, limit);
    for (const [step, child] of children.reverse()) {
      waiting.push(rowOf(childPath(path, step), step, depth + 1, child, open));
    }
  }
  return rows;
}

/** Unfolds level by level until a screenful is there. */
export function initialOpen(root: Json): ReadonlySet<string> {
  const open = new Set<string>();
  let level: { readonly path: string; readonly value: Json }[] = [{ path: '$', value: root }];
  let rows = 1;
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { path, value } of level) {
      const count = Math.min(childCount(value), CHILDREN_AT_FIRST);
      if (!isBranch(value) || (rows + count > ROWS_AT_FIRST && path !== '$')) continue;
      open.add(path);
      rows += count;
      for (const [step, child] of firstChildren(value, ROWS_AT_FIRST)) {
        if (isBranch(child)) next.push({ path: childPath(path, step), value: child });
      }
    }
    level = next;
  }
  return open;
}

/** State in which the value at `steps` is a row. */
export function revealed(state: TreeState, root: Json, steps: readonly JsonStep[]): TreeState {
  const open = new Set(state.open);
  const shown = new Map(state.shown);
  let path = '$';
  let value: Json | undefined = root;
  for (const step of steps) {
    if (value === undefined || !isBranch(value)) break;
    open.add(path);
    const index = typeof step === 'number' ? step : Object.keys(value).indexOf(step);
    if (index >= (shown.get(path) ?? CHILDREN_AT_FIRST)) shown.set(path, index + CHILDREN_AT_FIRST);
    value = childAt(value, step);
    path = childPath(path, step);
  }
  return { open, shown };
}

function childAt(value: Json, step: JsonStep): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[])[Number(step)];
  return isRecord(value) ? value[step] : undefined;
}

function rowOf(
  path: string,
  step: JsonStep | undefined,
  depth: number,
  value: Json,
  open: ReadonlySet<string>
): TreeRow {
  return { path, step, depth, value, isOpen: isBranch(value) && open.has(path) };
}

function firstChildren(value: Json, limit: number): [JsonStep, Json][] {
  if (Array.isArray(value)) return (value as readonly Json[]).slice(0, limit).map((child, index) => [index, child]);
  if (!isRecord(value)) return [];
  return Object.keys(value)
    .slice(0, limit)
    .map((key) => [key, value[key] ?? null]);
}
