/**
 * Reads one page of a tools/list answer as it passed: each tool's members as canonical text. Takes what it understands
 * from whole answers, as JSON or as an event stream; anything else is no list. Its result holds text of the server and
 * goes no further than into keyed hashes.
 */
import type { CapturedBody } from '../mcp/observer.ts';
import { TOOL_PARTS, type ToolPart } from '../record/tool-changes.ts';
import { canonicalJson } from '../record/canonical-json.ts';

/** Longer lists are not watched; the answer itself is sealed as usual. */
export const MAX_LIST_BYTES = 2 * 1024 * 1024;
const MAX_TOOLS = 2000;

export interface ListedTool {
  readonly name: string;
  readonly parts: ReadonlyMap<ToolPart, string>;
}

export interface ToolListPage {
  readonly tools: readonly ListedTool[];
  readonly nextCursor?: string;
}

/** @returns undefined when it was cut, or is no list */
export function readToolListPage(body: CapturedBody): ToolListPage | undefined {
  const kept = body.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (kept !== body.bytes || kept > MAX_LIST_BYTES) return undefined;
  const text = Buffer.concat(body.chunks).toString('utf8');
  return toolListIn(text, body.format);
}

/** @param format as the answer was captured */
export function toolListIn(text: string, format: CapturedBody['format']): ToolListPage | undefined {
  try {
    const messages = format === 'sse' ? eventData(text) : [text];
    for (const message of messages) {
      const page = pageOf(JSON.parse(message));
      if (page !== undefined) return page;
    }
  } catch {
    // no JSON, or nested beyond reason
  }
  return undefined;
}

/** The cursor that a request asks for. @returns undefined for the first page */
export function cursorOf(requestBody: Uint8Array): string | undefined {
  try {
    const message: unknown = JSON.parse(Buffer.from(requestBody).toString('utf8'));
    const params = memberOf(message, 'params');
    const cursor = memberOf(params, 'cursor');
    return typeof cursor === 'string' ? cursor : undefined;
  } catch {
    return undefined;
  }
}

function eventData(text: string): string[] {
  return text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((event) =>
      event
        .split(/\r\n|\n|\r/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(line.startsWith('data: ') ? 6 : 5))
        .join('\n')
    )
    .filter((data) => data !== '');
}

function pageOf(message: unknown): ToolListPage | undefined {
  const result = memberOf(message, 'result');
  const tools = memberOf(result, 'tools');
  if (!Array.isArray(tools) || tools.length > MAX_TOOLS) return undefined;
  const nextCursor = memberOf(result, 'nextCursor');
  return {
    tools: tools.map(listedTool).filter((tool) => tool !== undefined),
    ...(typeof nextCursor === 'string' ? { nextCursor } : {}),
  };
}

function listedTool(tool: unknown): ListedTool | undefined {
  const name = memberOf(tool, 'name');
  if (typeof name !== 'string' || typeof tool !== 'object' || tool === null) return undefined;
  const parts = new Map<ToolPart, string>();
  const other: Record<string, unknown> = {};
  for (const [member, value] of Object.entries(tool)) {
    if (member === 'name') continue;
    if (isPart(member)) parts.set(member, canonicalJson(value));
    else Object.defineProperty(other, member, { value, enumerable: true });
  }
  if (Object.keys(other).length > 0) parts.set('other', canonicalJson(other));
  return { name, parts };
}

function isPart(member: string): member is ToolPart {
  return member !== 'other' && (TOOL_PARTS as readonly string[]).includes(member);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
