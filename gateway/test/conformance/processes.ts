/** The processes of a run: the everything-server, and the gateway in front of both of its forms, as people start it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

const START_MS = 60_000;
const STOP_MS = 20_000;

export async function startEverythingServer(): Promise<Running> {
  const child = spawn(process.execPath, [here('everything-server-http.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { url } = await firstLine(child, child.stdout, (line) => (typeof line.url === 'string' ? line.url : undefined));
  return { url, stop: () => stop(child) };
}

/** @returns the base URL: `${url}/mcp/http` and `${url}/mcp/stdio` are the two forms */
export async function startGateway(upstreamUrl: string): Promise<Running> {
  const directory = await mkdtemp(join(tmpdir(), 'gatelens-conformance-'));
  const config = {
    listen: { mcp: '127.0.0.1:0', auditApi: '127.0.0.1:0', metrics: '127.0.0.1:0', store: '127.0.0.1:0' },
    dataDir: join(directory, 'data'),
    auth: { anonymous: true },
    mcpServers: {
      http: { url: upstreamUrl },
      stdio: { command: process.execPath, args: [here('everything-server-stdio.ts')] },
    },
  };
  // JSON is YAML
  const configFile = join(directory, 'gatelens.yaml');
  await writeFile(configFile, JSON.stringify(config));
  const args = [here('../../bin/gatelens.mjs'), 'serve', '--config', configFile];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const cleanUp = async (): Promise<void> => {
    await stop(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const { url } = await firstLine(child, child.stderr, (line) =>
      line.event === 'listening' && typeof line.mcp === 'string' ? line.mcp : undefined
    );
    return { url, stop: cleanUp };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Waits for the JSON line that carries the URL, and reads on, so that the pipe never fills. */
async function firstLine(
  child: ChildProcess,
  stream: Readable,
  urlOf: (line: Record<string, unknown>) => string | undefined
): Promise<{ readonly url: string }> {
  const seen: string[] = [];
  return new Promise((resolve, reject) => {
    const failed = (why: string): void => reject(new Error(`${why}\n${seen.slice(-20).join('\n')}`));
    const timer = setTimeout(() => failed('The process did not start in time.'), START_MS);
    child.once('exit', (code) => failed(`The process ended with exit code ${String(code)} before it was ready.`));
    createInterface({ input: stream }).on('line', (line) => {
      if (seen.length < 200) seen.push(line);
      const url = urlOf(parse(line));
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({ url });
    });
  });
}

function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}
