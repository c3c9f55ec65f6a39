/**
 * A list of tools as keyed hashes: enough to say that something changed, in which tool and in which member, and nothing
 * of what it said. What is kept of a server's list between starts. Pure.
 */
import type { ToolPart } from '../record/tool-changes.ts';
import type { ListedTool } from './tool-list.ts';

/** By name of the tool, then by member: keyed hash. */
export type HashedTools = ReadonlyMap<string, ReadonlyMap<ToolPart, string>>;

export type KeyedHash = (text: string) => string;

export interface HashedTool {
  readonly name: string;
  readonly parts: ReadonlyMap<ToolPart, string>;
}

export function hashedTool({ name, parts }: ListedTool, hash: KeyedHash): HashedTool {
  return { name, parts: new Map([...parts].map(([part, text]) => [part, hash(text)])) };
}

/** Tools of one name stay apart by their number, so that none hides behind another. */
export function byName(tools: readonly HashedTool[]): HashedTools {
  const named = new Map<string, ReadonlyMap<ToolPart, string>>();
  for (const { name, parts } of tools) {
    let key = name;
    for (let n = 2; named.has(key); n += 1) key = `${name} (${n})`;
    named.set(key, parts);
  }
  return named;
}

/** Of the whole list; the order of tools and members makes no difference. */
export function fingerprintOf(tools: HashedTools, hash: KeyedHash): string {
  const lines = [...tools].flatMap(([name, parts]) => [
    JSON.stringify([name]),
    ...[...parts].map(([part, text]) => JSON.stringify([name, part, text])),
  ]);
  return hash(lines.sort().join('\n'));
}

export interface ToolDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: ReadonlyMap<string, readonly ToolPart[]>;
}

export function differenceOf(before: HashedTools, now: HashedTools): ToolDifference {
  const changed = new Map<string, readonly ToolPart[]>();
  for (const [name, parts] of [...now].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const earlier = before.get(name);
    if (earlier === undefined) continue;
    const members = new Set([...earlier.keys(), ...parts.keys()]);
    const differing = [...members].filter((part) => earlier.get(part) !== parts.get(part)).sort();
    if (differing.length > 0) changed.set(name, differing);
  }
  return {
    added: [...now.keys()].filter((name) => !before.has(name)).sort(),
    removed: [...before.keys()].filter((name) => !now.has(name)).sort(),
    changed,
  };
}
