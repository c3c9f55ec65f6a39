/**
 * `Mcp-Param-*` headers (2026-07-28, Streamable HTTP, "Custom Headers from Tool Parameters"): which arguments of which
 * tool have to be repeated in a header, learnt from the server's tools/list, and whether a call does so. Stands in front
 * of servers behind stdio only; an HTTP server checks for itself. Values are compared and never kept.
 */
import type { Exchange } from '../exchange.ts';
import type { ReceivedMessage } from '../message.ts';
import { decodeMirrored } from '../mirrored-header.ts';
import { mismatch, missing, type StatelessRefusal } from '../stateless-request.ts';

interface Declaration {
  /** keys from `arguments` down */
  readonly path: readonly string[];
  /** as declared, without `Mcp-Param-` */
  readonly name: string;
  readonly numeric: boolean;
}

const ANNOTATION = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;
const MAX_DECLARATIONS = 100;
const MAX_DEPTH = 20;

export class ParamHeaders {
  readonly #byTool = new Map<string, readonly Declaration[]>();

  /** A page of tools/list, as the server sent it. Tools that are not on it keep what is known of them. */
  learn(page: ReceivedMessage): void {
    for (const name of page.tools ?? []) this.#byTool.delete(name);
    // most servers use no such annotation, and a list can be long
    if (!page.bytes.includes(ANNOTATION)) return;
    for (const tool of toolsOf(page.bytes)) {
      const declarations = declarationsIn(tool.inputSchema);
      if (declarations.length > 0) this.#byTool.set(tool.name, declarations);
    }
  }

  check(exchange: Pick<Exchange, 'header'>, call: ReceivedMessage): StatelessRefusal | undefined {
    const declarations = call.method === 'tools/call' ? this.#byTool.get(call.name ?? '') : undefined;
    if (declarations === undefined) return undefined;
    const args = argumentsOf(call.bytes);
    for (const declaration of declarations) {
      const value = valueAt(args, declaration.path);
      if (value === undefined) continue;
      const header = `Mcp-Param-${declaration.name}`;
      const sent = exchange.header(header);
      if (sent === undefined) return missing(header);
      const decoded = decodeMirrored(sent);
      if (decoded === undefined || !equal(decoded, value, declaration.numeric)) return mismatch(header);
    }
    return undefined;
  }
}

function equal(sent: string, value: string | number | boolean, numeric: boolean): boolean {
  if (numeric && typeof value === 'number' && DECIMAL.test(sent)) return Number(sent) === value;
  return sent === String(value);
}

function toolsOf(json: Buffer): { readonly name: string; readonly inputSchema: unknown }[] {
  const { tools } = recordOf(recordOf(JSON.parse(json.toString('utf8'))).result);
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => {
    const { name, inputSchema } = recordOf(tool);
    return typeof name === 'string' ? [{ name, inputSchema }] : [];
  });
}

/** Only what a chain of `properties` leads to counts; elsewhere the annotation has no meaning. */
function declarationsIn(schema: unknown, path: readonly string[] = []): Declaration[] {
  if (path.length > MAX_DEPTH) return [];
  const { properties, type, [ANNOTATION]: name } = recordOf(schema);
  const found: Declaration[] = [];
  if (path.length > 0 && typeof name === 'string' && TOKEN.test(name)) {
    found.push({ path, name, numeric: type === 'integer' || type === 'number' });
  }
  for (const [key, inner] of Object.entries(recordOf(properties))) {
    if (found.length >= MAX_DECLARATIONS) break;
    found.push(...declarationsIn(inner, [...path, key]));
  }
  return found;
}

function argumentsOf(json: Buffer): unknown {
  return recordOf(recordOf(JSON.parse(json.toString('utf8'))).params).arguments;
}

/** @returns undefined also for what no header can repeat: null, objects, lists, numbers that are not exact */
function valueAt(root: unknown, path: readonly string[]): string | number | boolean | undefined {
  let value = root;
  for (const key of path) {
    const inner = recordOf(value);
    value = Object.hasOwn(inner, key) ? inner[key] : undefined;
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'number' || (Number.isInteger(value) && !Number.isSafeInteger(value))) return undefined;
  return value;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
