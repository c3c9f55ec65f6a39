/**
 * The gateway as people run it: `gatelens serve` in a process of its own, recording, embedded store beside it, with as
 * many open files as the machine lets it have. Its memory is read from the kernel, not asked of itself.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../gateway/bin/gatelens.mjs', import.meta.url));

export interface RunningGatelens {
  readonly mcp: URL;
  /** resident, of the gateway without the store, in bytes */
  residentBytes(): number;
  /** of `/metrics`, without labels */
  figures(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

export async function startGatelens(upstream: string): Promise<RunningGatelens> {
  const dir = mkdtempSync(join(tmpdir(), 'gatelens-streams-'));
  const any = '127.0.0.1:0';
  const config = {
    listen: { mcp: any, auditApi: any, metrics: any, store: any },
    dataDir: join(dir, 'data'),
    mcpServers: { bench: { url: upstream } },
    auth: { anonymous: true },
  };
  const file = join(dir, 'gatelens.yaml');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(
    'sh',
    ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh', process.execPath, BIN, 'serve', '--config', file],
    { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] }
  );
  // whatever ends the benchmark ends it, too
  process.once('exit', () => child.kill('SIGKILL'));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const urls = await new Promise<{ mcp: string; metrics: string }>((resolve, reject) => {
    let said = '';
    createInterface({ input: child.stderr }).on('line', (line) => {
      said += `${line}\n`;
      if (line.includes('"listening"')) resolve(JSON.parse(line) as { mcp: string; metrics: string });
    });
    void ended.then(() => reject(new Error(`gatelens ended:\n${said}`)));
  });
  return {
    mcp: new URL('/mcp/bench', urls.mcp),
    residentBytes: () => {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    },
    figures: async () => {
      const text = await (await fetch(`${urls.metrics}/metrics`)).text();
      const lines = text.matchAll(/^(\w+)(?:\{[^}]*\})? (\S+)/gm);
      return new Map(Array.from(lines, ([, name = '', value = '']) => [name, Number(value)]));
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
