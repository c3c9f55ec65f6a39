/**
 * The difference of two lists of tools in words, from what auditors may read. Pure. What it makes visible is text of a
 * server: characters that nobody sees, or that turn text around, are written out.
 */
import { TOOL_PARTS, type ToolPart } from '../record/tool-changes.ts';
import type { ListedTool } from '../tool-drift/tool-list.ts';
import type { ToolChangeDiff } from './contract.ts';

type ToolDiff = ToolChangeDiff['tools'][number];

/** As the record names them: tools of one name by their number. */
function byName(tools: readonly ListedTool[]): Map<string, ListedTool['parts']> {
  const named = new Map<string, ListedTool['parts']>();
  for (const { name, parts } of tools) {
    let key = name;
    for (let n = 2; named.has(key); n += 1) key = `${name} (${n})`;
    named.set(key, parts);
  }
  return named;
}

export function toolDiff(before: readonly ListedTool[], after: readonly ListedTool[]): ToolDiff[] {
  const [was, is] = [byName(before), byName(after)];
  const names = [...new Set([...was.keys(), ...is.keys()])].sort();
  return names.flatMap((name) => {
    const [earlier, later] = [was.get(name), is.get(name)];
    const parts = TOOL_PARTS.filter((part) => earlier?.get(part) !== later?.get(part)).map((part) => ({
      part,
      before: shown(earlier?.get(part)),
      after: shown(later?.get(part)),
    }));
    const change = earlier === undefined ? 'added' : later === undefined ? 'removed' : 'changed';
    return change === 'changed' && parts.length === 0 ? [] : [{ tool: visible(name), change, parts }];
  });
}

/** What the record alone knows: names and members, no text. */
export function namedDiff(
  added: readonly string[],
  removed: readonly string[],
  changed: readonly { readonly tool: string; readonly parts: readonly ToolPart[] }[]
): ToolDiff[] {
  return [
    ...added.map((tool) => ({ tool, change: 'added' as const, parts: [] })),
    ...removed.map((tool) => ({ tool, change: 'removed' as const, parts: [] })),
    ...changed.map(({ tool, parts }) => ({
      tool,
      change: 'changed' as const,
      parts: parts.map((part) => ({ part, before: null, after: null })),
    })),
  ];
}

/** @param json canonical text of a member: texts as themselves, anything else indented */
function shown(json: string | undefined): string | null {
  if (json === undefined) return null;
  const value: unknown = JSON.parse(json);
  return visible(typeof value === 'string' ? value : JSON.stringify(value, undefined, 2));
}

/** Controls but tab and line feed, format characters, separators that break lines, lone surrogates, private use. */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

function visible(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
