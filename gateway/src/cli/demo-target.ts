/**
 * Where `gatelens demo` plays: on a Gatelens that runs on this data directory already, or on one of its own, which takes
 * the listeners and keys of the configuration but none of its servers: the demo calls nothing but the sample servers.
 */
import { createServer } from 'node:net';
import { formatHostPort } from '../access/address.ts';
import { parseConfig, type GatelensConfig, type HostPort, type LoadedConfig } from '../config.ts';
import { HTTP_SERVER_NAME } from '../demo/perform.ts';
import { FLAKY_SERVER_NAME } from '../demo/sample-programs.ts';
import { UsageError, type CliContext } from './context.ts';
import { quickStartDefaults } from './quick-start.ts';

export interface RunningGatelens {
  readonly mcpUrl: string;
  readonly auditApiUrl: string;
}

const LOOK_MS = 2000;
/** A setting cannot be left out again; nobody reaches this one. */
const NO_LIMIT = { requests: 1_000_000, per: 1000, by: 'caller' } as const;

/**
 * Looks whether a gateway at the configured address knows an API key that was made in this data directory just now.
 * @returns undefined when there is none, or one with another data directory
 * @throws UsageError when it runs here but has no sample servers
 */
export async function findRunning(config: GatelensConfig, apiKey: string): Promise<RunningGatelens | undefined> {
  const { mcp, auditApi } = config.listen;
  if (mcp.port === 0) return undefined;
  const mcpUrl = localUrl(mcp);
  const params = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'demo-look', version: '1.0.0' },
  };
  const headers = {
    Authorization: `Bearer ${apiKey}`,
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
  };
  const answer = await fetch(`${mcpUrl}/mcp/flaky`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }),
    signal: AbortSignal.timeout(LOOK_MS),
  }).catch(() => undefined);
  const text = await answer?.text().catch(() => '');
  // Whatever listens there, it is no gateway of this data directory.
  if (answer === undefined || text === undefined || answer.status === 401 || !text.includes('"jsonrpc"'))
    return undefined;
  await endSession(answer, headers);
  if (answer.ok && text.includes(FLAKY_SERVER_NAME)) return { mcpUrl, auditApiUrl: localUrl(auditApi) };
  throw new UsageError(
    `A Gatelens is running at ${mcpUrl} on this data directory, but with servers of yours, and the demo calls only its sample servers. Give the demo a place of its own: gatelens demo --data-dir ./.gatelens-demo`
  );
}

async function endSession(answer: Response, headers: Readonly<Record<string, string>>): Promise<void> {
  const session = answer.headers.get('mcp-session-id');
  if (session === null) return;
  const ending = { method: 'DELETE', headers: { ...headers, 'Mcp-Session-Id': session } };
  await fetch(answer.url, { ...ending, signal: AbortSignal.timeout(LOOK_MS) }).catch(() => undefined);
}

/** For callers on this machine. */
export function localUrl({ host, port }: HostPort): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${formatHostPort({ host: reachable, port })}`;
}

/**
 * The configuration for a Gatelens of the demo's own: sample servers and their policy in place of the configured ones,
 * no rate limit, and free ports where the configured ones are taken.
 */
export async function demoConfig(
  { config }: LoadedConfig,
  httpServerUrl: string,
  context: Pick<CliContext, 'nodePath' | 'cwd' | 'note'>
): Promise<GatelensConfig> {
  const { dataDir } = config;
  const defaults = quickStartDefaults({ dataDir, nodePath: context.nodePath, withServers: true }, undefined);
  const samples = parseConfig(defaults, { source: 'the sample set-up', env: {}, baseDir: context.cwd }).config;
  return {
    ...config,
    listen: await freeListeners(config, context.note),
    mcpServers: { ...samples.mcpServers, [HTTP_SERVER_NAME]: { type: 'http', url: httpServerUrl, headers: {} } },
    policy: samples.policy,
    rateLimit: NO_LIMIT,
  };
}

async function freeListeners(config: GatelensConfig, note: (text: string) => void): Promise<GatelensConfig['listen']> {
  const { listen } = config;
  const free = async (address: HostPort): Promise<HostPort> => {
    if (await isFree(address)) return address;
    note(`${formatHostPort(address)} is taken by another program, so the demo takes a free port.`);
    return { host: address.host, port: 0 };
  };
  return {
    mcp: await free(listen.mcp),
    auditApi: await free(listen.auditApi),
    metrics: await free(listen.metrics),
    store: config.store === undefined ? await free(listen.store) : listen.store,
  };
}

function isFree({ host, port }: HostPort): Promise<boolean> {
  if (port === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const probe = createServer();
    // Any other trouble is told by the one that really listens.
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
