/**
 * Takes the servers out of a configuration file that an MCP client uses: `{ "mcpServers": { … } }` (Claude, Cursor,
 * Windsurf, …) or `{ "servers": { … } }` (VS Code). Keeps what concerns a connection; what only a client can use is left
 * out with a warning. Fetches and starts nothing.
 */
import type { FoundMistake } from './mistakes.ts';

export interface ClientServers {
  readonly servers: Readonly<Record<string, unknown>>;
  readonly mistakes: readonly FoundMistake[];
  readonly warnings: readonly string[];
}

const KEPT = ['type', 'command', 'args', 'env', 'cwd', 'url', 'headers'];
/** Settings of clients that change nothing for a gateway. */
const SILENT = [
  'disabled',
  'autoApprove',
  'alwaysAllow',
  'timeout',
  'description',
  'name',
  'gallery',
  'version',
  'dev',
  'trust',
];

export function serversOfClientFile(content: unknown): ClientServers {
  const root = asMap(content);
  const key = root !== undefined && 'mcpServers' in root ? 'mcpServers' : 'servers';
  const found = asMap(root?.[key]);
  if (found === undefined) {
    const remedy = 'It should look like `{ "mcpServers": { "name": { "command": … } } }` or `{ "servers": … }`.';
    return {
      servers: {},
      warnings: [],
      mistakes: [{ at: [], message: 'holds no `mcpServers` and no `servers`', remedy }],
    };
  }
  const servers: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const [name, entry] of Object.entries(found)) {
    const map = asMap(entry);
    if (map === undefined) {
      servers[name] = entry;
    } else if (map.disabled === true) {
      warnings.push(`server ${JSON.stringify(name)} is switched off in the client's file and left out`);
    } else {
      const { server, ignored } = fromClient(map);
      servers[name] = server;
      if (ignored.length > 0) warnings.push(`server ${JSON.stringify(name)}: ignored ${ignored.join(', ')}`);
    }
  }
  return { servers, mistakes: [], warnings };
}

function fromClient(entry: Readonly<Record<string, unknown>>) {
  const server: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [key, value] of Object.entries(entry)) {
    if (KEPT.includes(key)) server[key] = value;
    else if (key === 'serverUrl' || key === 'httpUrl') server.url = value;
    else if (!SILENT.includes(key)) ignored.push(key);
  }
  return { server, ignored };
}

function asMap(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
