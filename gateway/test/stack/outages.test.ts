/**
 * A running gateway whose way into the store dies piece by piece under load: store away, store that takes data and loses
 * the answer, queue full, collector killed, mirror dead all the time. Every call is once in the log, in the chain, in
 * the figures and in the payloads, and nobody who called noticed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditLog } from '../e2e/audit-log.ts';
import type { GatelensProcess } from '../e2e/gatelens-process.ts';
import { Load } from '../e2e/load.ts';
import { bearer } from '../e2e/mcp-clients.ts';
import { People } from '../e2e/people.ts';
import { until } from '../e2e/until.ts';
import { type WebServer, startWebServer } from '../e2e/upstream-process.ts';
import { isCollectorBuilt } from './collector-binary.ts';
import { type Stack, createStack } from './stack-under-test.ts';

/** larger than a batch of the gateway (4 MiB), which must always fit */
const QUEUE_BYTES = 6 * 1024 * 1024;
const PATIENCE_MS = 120_000;

describe.skipIf(!isCollectorBuilt())('outages between gateway and store', { timeout: 300_000 }, () => {
  let stack: Stack;
  let web: WebServer;
  let gatelens: GatelensProcess;
  let load: Load;
  const people = new People();
  beforeAll(async () => {
    web = await startWebServer('outage');
    const key = people.addKey('loader', { user: 'ana@example.com' });
    people.addToken('admin', 'admin');
    people.addToken('auditor', 'auditor');
    stack = await createStack({
      overlay: [`exporters::clickhouse/payloads::sending_queue::queue_size: ${QUEUE_BYTES}`],
    });
    await stack.collector.start();
    const { url, token } = stack.collector.target('mirror');
    gatelens = stack.gatelens({
      mcpServers: { fast: { url: `${web.url}/fast` } },
      auth: { apiKeys: people.apiKeys },
      auditApi: { tokens: people.tokens },
      // nobody listens behind the collector's mirror
      otlp: { mirrors: [{ url, token }] },
    });
    await gatelens.start();
    load = new Load({
      url: () => gatelens.mcp('fast'),
      headers: bearer(key),
      connections: 8,
      // does not compress, so that queues fill
      arguments: { text: Array.from({ length: 4000 }, () => Math.random().toString(36)[2]).join('') },
    });
  }, 120_000);
  afterAll(async () => {
    await load.stop();
    await stack.stop();
    await web.stop();
  });

  const answered = async (more: number): Promise<void> => {
    const before = load.acknowledged.size;
    await until(() => load.acknowledged.size >= before + more, `${more} more calls are answered`, PATIENCE_MS);
  };
  const number = async (select: string): Promise<number> =>
    Number((await stack.test.rows<{ n: string }>(`SELECT ${select}`))[0]?.n);

  it('lose no call and count none twice', async () => {
    load.start();
    await answered(100);

    // the store is away: the queue fills, then the spool holds what the collector refuses
    stack.tap.mode = 'down';
    await until(() => stack.collector.output.includes('sending queue is full'), 'a queue is full', PATIENCE_MS);
    await answered(50);
    await until(
      async () => ((await gatelens.metrics()).get('gatelens_spool_size') ?? 0) > 0,
      'the spool holds it',
      20_000
    );

    // killed with its backlog, and started again on it
    await stack.collector.kill('SIGKILL');
    await answered(50);
    await stack.collector.start();
    await answered(50);

    // the store takes batches and their answers are lost: they come again, in other batches
    stack.tap.mode = 'lose-answers';
    const inserts = (): number => stack.tap.requests.filter((one) => one.url.includes('INSERT+INTO')).length;
    const [before, twice] = [inserts(), 6];
    await until(() => inserts() >= before + twice, 'answers of inserts are lost', PATIENCE_MS);
    await stack.collector.kill('SIGKILL');
    stack.tap.mode = 'refuse';
    await stack.collector.start();
    await answered(50);

    stack.tap.mode = 'pass';
    await load.stop();
    await gatelens.settled(0, PATIENCE_MS);
    const calls = load.acknowledged.size;
    const all = `count() AS n FROM mcp.calls FINAL WHERE kind = 'request' AND server = 'fast'`;
    await until(async () => (await number(all)) >= calls, 'all calls are in the store', PATIENCE_MS);
    const payloads = 'count() AS n FROM mcp_protected.payload_events FINAL';
    await until(async () => (await number(payloads)) >= 2 * calls, 'all payloads are in the store', PATIENCE_MS);

    const log = new AuditLog(gatelens.urls.auditApi, people.of('admin'));
    const ids = (await log.calls({ server: 'fast' })).map((call) => Number(call.rpcId)).sort((a, b) => a - b);
    expect(load.refused.size).toBe(0);
    expect(ids).toEqual([...load.acknowledged].sort((a, b) => a - b));
    expect(await number(payloads)).toBe(2 * calls);
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const usage = await until(
      async () => {
        const summary = await log.usage({ from, to: new Date().toISOString() });
        return summary.totals.calls >= calls && summary;
      },
      'the figures have every call',
      PATIENCE_MS
    );
    expect(usage.totals.calls).toBe(calls);
    console.log(
      `outages: ${calls} calls, each once; ${inserts()} inserts, ${await number('sum(lost) AS n FROM mcp.health FINAL')} lost, ` +
        `queue full ${(stack.collector.output.match(/sending queue is full/g) ?? []).length} times`
    );
  });

  it('leave the chain whole, and the payloads can be opened', async () => {
    const { code, out } = await gatelens.run('verify', '--json');
    expect(JSON.parse(out)).toMatchObject({ ok: true, findings: [] });
    expect(code).toBe(0);
    const auditor = new AuditLog(gatelens.urls.auditApi, people.of('auditor'));
    const [call] = await auditor.calls({ server: 'fast' });
    expect(JSON.stringify(await auditor.payload(call?.id ?? ''))).toContain('tools/call');
  });
});
