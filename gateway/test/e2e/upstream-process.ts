/** The test's own MCP server over HTTP, in a process of its own. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const WEB_SERVER = fileURLToPath(new URL('../fixtures/web-server.ts', import.meta.url));

export interface WebServer {
  /** base URL; see the fixture for its paths */
  readonly url: string;
  /** calls of its tool `slow` that have begun, ever */
  slowCalls(): number;
  stop(): Promise<void>;
}

/** @param prefix in front of everything it says that could leak */
export async function startWebServer(prefix: string): Promise<WebServer> {
  const child = spawn(process.execPath, [WEB_SERVER, prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  let slowCalls = 0;
  lines.on('line', () => (slowCalls += 1));
  const { port } = JSON.parse(line) as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    slowCalls: () => slowCalls,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
