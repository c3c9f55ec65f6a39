/**
 * `tool-lists.json` in the data directory: what each server's list looked like, as keyed hashes, so that a change over a
 * restart is noticed. Holds names of tools and no other text of a server. A file that cannot be read begins anew.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { TOOL_PARTS, type ToolPart } from '../record/tool-changes.ts';
import type { ShownList, WatchedServer } from './tool-watch.ts';

const FILE = 'tool-lists.json';

const shownList = z.object({
  client: z.string(),
  fingerprint: z.string(),
  tools: z.array(z.tuple([z.string(), z.array(z.tuple([z.enum(TOOL_PARTS), z.string()]))])),
  calls: z.array(z.string()),
  shownAtMs: z.number(),
});
const file = z.object({
  version: z.literal(1),
  servers: z.array(z.object({ name: z.string(), shown: z.array(shownList), history: z.array(z.string()) })),
});

/** @returns undefined when there is none, or none that can be read */
export function readToolLists(dataDir: string): Map<string, WatchedServer> | undefined {
  try {
    const { servers } = file.parse(JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')));
    return new Map(
      servers.map(({ name, shown, history }) => [
        name,
        { shown: new Map(shown.map((one) => [one.client, listOf(one)])), history: new Set(history) },
      ])
    );
  } catch {
    return undefined;
  }
}

function listOf({ fingerprint, tools, calls, shownAtMs }: z.output<typeof shownList>): ShownList {
  const hashed = new Map(tools.map(([name, parts]) => [name, new Map<ToolPart, string>(parts)]));
  return { fingerprint, tools: hashed, calls, shownAtMs };
}

/** Whole or not at all. @throws a system error */
export function writeToolLists(dataDir: string, servers: ReadonlyMap<string, WatchedServer>): void {
  const content: z.input<typeof file> = {
    version: 1,
    servers: [...servers].map(([name, { shown, history }]) => ({
      name,
      shown: [...shown].map(([client, { fingerprint, tools, calls, shownAtMs }]) => ({
        client,
        fingerprint,
        tools: [...tools].map(([tool, parts]) => [tool, [...parts]]),
        calls: [...calls],
        shownAtMs,
      })),
      history: [...history],
    })),
  };
  const target = join(dataDir, FILE);
  const draft = `${target}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
  renameSync(draft, target);
}
