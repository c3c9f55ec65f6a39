/**
 * A backlog through the pipeline: a gateway records calls while no collector runs, so everything waits in its spool; then
 * the collector is started, and it counts until the store has every record. Afterwards the same load with all running.
 * The real gateway, collector and engine, each in a process of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatelensProcess } from '../../gateway/test/e2e/gatelens-process.ts';
import { Load } from '../../gateway/test/e2e/load.ts';
import { bearer } from '../../gateway/test/e2e/mcp-clients.ts';
import { People } from '../../gateway/test/e2e/people.ts';
import { until } from '../../gateway/test/e2e/until.ts';
import { CollectorProcess } from '../../gateway/test/stack/collector-process.ts';
import { startTestStore } from '../../gateway/test/store/test-store.ts';
import { cpuMs, peakMegabytes } from './process-cost.ts';

const STAGES = ['gateway', 'collector', 'store'] as const;
type Stage = (typeof STAGES)[number];

export interface Phase {
  readonly phase: 'drain of the spool' | 'all running';
  readonly calls: number;
  /** spans and protected events */
  readonly records: number;
  readonly seconds: number;
  readonly cpuMicrosACall: Readonly<Record<Stage, number>>;
  readonly peakMegabytes: Readonly<Record<Stage, number>>;
}

const PATIENCE_MS = 300_000;
const ARGUMENT = Array.from({ length: 1500 }, () => Math.random().toString(36)[2]).join('');

/** @param calls in the backlog; the second phase has half of them */
export async function measureDrain(calls: number, tell: (line: string) => void): Promise<Phase[]> {
  const directory = mkdtempSync(join(tmpdir(), 'gatelens-bench-'));
  const test = await startTestStore({ migrated: true });
  const { gatelens_ingest: metadata, gatelens_payload_ingest: payloads, gatelens_api: api } = test.store.credentials;
  const collector = new CollectorProcess({
    directory,
    storeUrl: test.store.url,
    passwords: { metadata: metadata.password, payloads: payloads.password },
  });
  const upstream = await startUpstream();
  const people = new People();
  const key = people.addKey('bench', { user: 'ana@example.com' });
  // its ports are chosen at the first start
  await collector.start();
  await collector.kill('SIGTERM');
  const gatelens = new GatelensProcess({
    config: {
      mcpServers: { fast: { url: upstream.url } },
      auth: { apiKeys: people.apiKeys },
      audit: { durability: 'async' },
      store: { url: test.store.url, username: api.username, password: api.password },
      otlp: { metadata: collector.target('metadata'), payloads: collector.target('payloads') },
    },
  });
  const load = new Load({
    url: () => gatelens.mcp('fast'),
    headers: bearer(key),
    connections: 16,
    arguments: { text: ARGUMENT },
  });
  const stored = async (): Promise<{ calls: number; events: number; spans: number }> => {
    const count = async (what: string): Promise<number> =>
      Number((await test.rows<{ n: string }>(`SELECT count() AS n FROM ${what}`))[0]?.n);
    return {
      calls: await count(`mcp.calls WHERE kind = 'request'`),
      events: await count('mcp_protected.payload_events'),
      spans: await count('mcp.otel_traces'),
    };
  };
  const pids = (): Record<Stage, number> => ({
    gateway: gatelens.pid,
    collector: collector.pid,
    store: test.store.pid() ?? 0,
  });
  const run = async (more: number): Promise<number> => {
    const before = load.acknowledged.size;
    load.start();
    await until(() => load.acknowledged.size >= before + more, `${more} calls are answered`, PATIENCE_MS);
    await load.stop();
    return load.acknowledged.size;
  };
  const measure = async (phase: Phase['phase'], work: () => Promise<unknown>, isStarted: boolean): Promise<Phase> => {
    const before = await stored();
    const running = pids();
    const cpu = STAGES.map((stage) => (stage === 'collector' && !isStarted ? 0 : cpuMs(running[stage])));
    const startedMs = performance.now();
    await work();
    await until(
      async () => {
        const now = await stored();
        return now.calls >= load.acknowledged.size && now.events >= 2 * load.acknowledged.size;
      },
      'the store has every record',
      PATIENCE_MS
    );
    const seconds = (performance.now() - startedMs) / 1000;
    const now = await stored();
    const done = now.calls - before.calls;
    const spent = STAGES.map((stage, at) => [stage, ((cpuMs(running[stage]) - (cpu[at] ?? 0)) * 1000) / done]);
    return {
      phase,
      calls: done,
      records: now.spans - before.spans + now.events - before.events,
      seconds,
      cpuMicrosACall: Object.fromEntries(spent) as Record<Stage, number>,
      peakMegabytes: Object.fromEntries(STAGES.map((stage) => [stage, peakMegabytes(running[stage])])) as Record<
        Stage,
        number
      >,
    };
  };
  try {
    await gatelens.start();
    tell(`recording ${calls} calls into the spool …`);
    await run(calls);
    tell('draining …');
    await collector.start();
    const drain = await measure('drain of the spool', () => Promise.resolve(), false);
    tell(`${(drain.records / drain.seconds).toFixed(0)} records/s; the same load with all running …`);
    return [drain, await measure('all running', () => run(Math.ceil(calls / 2)), true)];
  } finally {
    await load.stop();
    await gatelens.dispose();
    await collector.kill('SIGKILL');
    upstream.close();
    await test.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** An MCP server that costs next to nothing: one answer of 2 KB, whatever is called. */
async function startUpstream(): Promise<{ readonly url: string; close(): void }> {
  const text = Array.from({ length: 2000 }, () => Math.random().toString(36)[2]).join('');
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { id } = JSON.parse(body) as { id: unknown };
      const answer = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
