/** A bare HTTP server before a stdio bridge: parses bodies, knows callers by `x-user`, and nothing of access or policy. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { LogFields, Logger } from '../../src/logger.ts';
import type { HeaderList } from '../../src/mcp/observer.ts';
import { JsonScanner } from '../../src/mcp/scan/json-scanner.ts';
import { NodeExchange } from '../../src/mcp/node-exchange.ts';
import { SessionDirectory } from '../../src/mcp/sessions.ts';
import { StdioBridge, type StdioBridgeOptions } from '../../src/mcp/bridge/stdio-bridge.ts';
import { RecordingObserver } from './recording-observer.ts';

export interface BridgeServer {
  readonly url: string;
  readonly bridge: StdioBridge;
  readonly observer: RecordingObserver;
  /** every log line, as text */
  readonly logs: string[];
  close(): Promise<void>;
}

const FIXTURE = fileURLToPath(new URL('../fixtures/stdio-server.ts', import.meta.url));

export function fixtureServer(mode = 'normal', options: Partial<StdioBridgeOptions> = {}): Promise<BridgeServer> {
  return serveBridge({ command: process.execPath, args: [FIXTURE, mode], ...options });
}

export async function serveBridge(
  options: Partial<StdioBridgeOptions> & Pick<StdioBridgeOptions, 'command'>
): Promise<BridgeServer> {
  const logs: string[] = [];
  const observer = new RecordingObserver();
  const bridge = new StdioBridge({
    server: 'fixture',
    inheritedEnv: process.env,
    logger: loggerInto(logs),
    ...options,
    limits: { stdinGraceMs: 300, termGraceMs: 300, ...options.limits },
  });
  const sessions = new SessionDirectory();
  const http = createServer((req, res) => {
    const arrivedAt = performance.now();
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      const scanner = new JsonScanner();
      scanner.feed(body);
      const result = scanner.end();
      const scanned = result.ok ? result.body : { batch: false, messages: [] };
      const header = req.headers['mcp-session-id'];
      const user = req.headers['x-user'];
      const exchange = new NodeExchange({
        httpMethod: req.method as 'POST' | 'GET' | 'DELETE',
        server: 'fixture',
        caller: { userKey: typeof user === 'string' ? user : 'ana', keyName: '', teams: [], authMethod: 'api_key' },
        req,
        res,
        headers: headerList(req.rawHeaders),
        body,
        batch: scanned.batch,
        messages: scanned.messages.map((message) => ({
          ...message,
          bytes: body.subarray(message.range.start, message.range.end),
        })),
        session: typeof header === 'string' ? { id: header, kind: 'mcp' } : { id: 'tcp', kind: 'connection' },
        clientAddress: '127.0.0.1',
        arrivedAt,
        observer,
        sessions,
      });
      void bridge.handle(exchange);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp/fixture`,
    bridge,
    observer,
    logs,
    close: async () => {
      await bridge.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function headerList(raw: readonly string[]): HeaderList {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []));
}

function loggerInto(lines: string[]): Logger {
  const log = (event: string, fields?: LogFields): void => void lines.push(JSON.stringify({ event, ...fields }));
  return { info: log, warn: log, error: log };
}

/** Whether a process runs. One that ended and was not reaped yet does not count. */
export async function isRunning(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '');
  } catch {
    return false;
  }
}
