/**
 * The first lines a person sees: what listens where, what to paste into a client, how to see the first call, where the
 * keys are. Shows a token only in the quick start, where it was made for this.
 */
import { publicUrlOf } from '../access/resource-metadata.ts';
import type { LoadedConfig } from '../config.ts';
import type { Gatelens } from '../main.ts';
import type { QuickStartTokens } from './quick-start.ts';

export function startMessage(
  version: string,
  { config, source, warnings }: LoadedConfig,
  { urls, warnings: found, pagesUrl }: Pick<Gatelens, 'urls' | 'warnings'> & { readonly pagesUrl?: string | undefined },
  quickStart: QuickStartTokens | undefined
): string {
  const lines = [`Gatelens ${version} is running with ${source}.`, ''];
  if (urls.mcp !== undefined)
    lines.push(`  MCP        ${urls.mcp}/mcp/<server>   (${Object.keys(config.mcpServers).join(', ')})`);
  if (urls.auditApi !== undefined) lines.push(`  audit API  ${urls.auditApi}/api/v1`);
  if (pagesUrl !== undefined) lines.push(`  pages      ${pagesUrl}   (in a stand-in for Grafana, for trying out)`);
  if (urls.metrics !== undefined) lines.push(`  metrics    ${urls.metrics}/metrics`);
  lines.push(
    `  data       ${config.dataDir}   (keys are in keys/: back them up, payloads cannot be read without them)`
  );
  if (urls.mcp !== undefined) {
    const publicUrl = config.http.publicUrl === undefined ? urls.mcp : publicUrlOf(config);
    lines.push('', 'Point an MCP client at it; paste into its configuration:', '', clientConfig(config, publicUrl));
    if (!config.auth.anonymous) lines.push('', 'A key for it: gatelens api-keys create --name <name> --user <e-mail>');
  }
  if (urls.auditApi !== undefined) lines.push('', ...firstCall(urls.auditApi, quickStart));
  for (const warning of [...warnings, ...found]) lines.push('', `Note: ${warning.replace(/\.$/, '')}.`);
  return `${lines.join('\n')}\n`;
}

function clientConfig(config: LoadedConfig['config'], publicUrl: string): string {
  const headers =
    config.auth.anonymous || config.auth.jwt !== undefined ? {} : { headers: { Authorization: 'Bearer gl_…' } };
  const servers = Object.keys(config.mcpServers).map((name) => [
    name,
    { type: 'http', url: `${publicUrl}/mcp/${name}`, ...headers },
  ]);
  const entries = servers.map(([name, entry]) => `    ${JSON.stringify(name)}: ${inline(entry)}`);
  return `{\n  "mcpServers": {\n${entries.join(',\n')}\n  }\n}`;
}

function inline(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${inline(item)}`)
    .join(', ')} }`;
}

/** How to see the calls, with a token where one was made for trying out. */
export function firstCall(auditApi: string, quickStart: QuickStartTokens | undefined): string[] {
  const curl = (token: string) => `  curl -s -H "Authorization: Bearer ${token}" '${auditApi}/api/v1/calls?limit=5'`;
  if (quickStart === undefined) {
    return [
      'See the calls:',
      '',
      '  GATELENS_TOKEN=$(gatelens tokens create --name me --role auditor)',
      curl('$GATELENS_TOKEN'),
    ];
  }
  return [
    'See the calls, as an auditor (for this try-out; kept in keys/demo-tokens.json):',
    '',
    curl(quickStart.auditor),
    '',
    `  admin   ${quickStart.admin}   metadata of everybody, no payloads`,
    `  viewer  ${quickStart.viewer}   own calls of ana@example.com`,
  ];
}
