/**
 * The load: so many connections, each sending the next call when the last was answered, for a fixed time. Every answer
 * is checked for its id and size: a fast wrong answer counts as a failure and ends the benchmark.
 */
import { Agent, request } from 'node:http';

export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Load {
  readonly url: URL;
  readonly connections: number;
  readonly bytes: number;
  readonly seconds: number;
}

export async function runLoad({ url, connections, bytes, seconds }: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies: number[] = [];
  const started = performance.now();
  const until = started + seconds * 1000;
  let nextId = 1;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const sent = performance.now();
      await call(agent, url, (nextId += 1), bytes);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { calls: latencies.length, seconds: (performance.now() - started) / 1000, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function call(agent: Agent, url: URL, id: number, bytes: number): Promise<void> {
  const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"bench","arguments":{"bytes":${bytes},"pad":"${'q'.repeat(Math.max(0, Math.min(bytes, 2048) - 64))}"}}}`;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        agent,
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
          Accept: 'application/json, text/event-stream',
          'MCP-Protocol-Version': '2025-11-25',
        },
      },
      (answer) => {
        let size = 0;
        let head = '';
        answer.on('data', (chunk: Buffer) => {
          if (size === 0) head = chunk.subarray(0, 64).toString('latin1');
          size += chunk.length;
        });
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === 200 && head.includes(`"id":${id},`) && size > bytes) resolve();
          else reject(new Error(`wrong answer: HTTP ${answer.statusCode ?? 0}, ${size} bytes`));
        });
      }
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
