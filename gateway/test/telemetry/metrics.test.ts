import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createDurationMetrics, observeAudit, type AuditFigures } from '../../src/telemetry/metrics.ts';
import { startMetrics, type MetricsPipeline } from '../../src/telemetry/sdk.ts';
import { createRig, record } from './fake-seams.ts';

const service = { version: '0.1.0', instanceId: 'gw-test' };
const prometheus = { host: '127.0.0.1', port: 0 };
const running: MetricsPipeline[] = [];
afterEach(async () => {
  for (const pipeline of running.splice(0)) await pipeline.close();
});

async function start(options: Omit<Parameters<typeof startMetrics>[0], 'service'>): Promise<MetricsPipeline> {
  const pipeline = await startMetrics({ service, ...options });
  running.push(pipeline);
  return pipeline;
}

const figures: AuditFigures = {
  seen: 10,
  recorded: 9,
  shipped: 8,
  lost: 1,
  refused: 2,
  attemptsLeftOut: 4,
  payloadsTruncated: 11,
  payloadsFailed: 12,
  setAsideBatches: 3,
  spoolBytes: 4096,
  oldestUnshippedSeconds: 1.5,
  mirrors: [{ name: 'vendor', exported: 5, failed: 6, dropped: 7 }],
};

async function scrape(pipeline: MetricsPipeline, init?: RequestInit, path = '/metrics'): Promise<Response> {
  return fetch(`http://127.0.0.1:${pipeline.endpoint?.port}${path}`, init);
}

describe('metrics for Prometheus', () => {
  it('are not read by a web page under a name of its own, where only this machine may read them', async () => {
    const pipeline = await start({ prometheus });
    const statusFor = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const options = { port: pipeline.endpoint?.port, path: '/metrics', headers: { host } };
        get(options, (res) => resolve(res.resume().statusCode)).on('error', reject);
      });
    const hosts = ['evil.example', '127.0.0.1.evil.example:9464', 'localhost:9464', '127.0.0.1', '[::1]:9464', '[::1]'];
    expect(await Promise.all(hosts.map(statusFor))).toEqual([403, 403, 200, 200, 200, 200]);
  });

  it('are durations by the MCP conventions, without user, session, request id or unlisted name', async () => {
    const pipeline = await start({ prometheus });
    const rig = createRig({ metrics: createDurationMetrics(pipeline.meter) });
    await record(rig);
    await record(
      rig,
      { rpcId: '"marker"', target: { type: 'tool', name: 'marker' } },
      { outcome: 'rpc_error', errorType: '-32602', rpcErrorCode: -32602 }
    );
    rig.observer.sessionEnded('session-1');
    const text = await (await scrape(pipeline)).text();
    const lines = text.split('\n');
    const server = lines.find(
      (line) => line.startsWith('mcp_server_operation_duration') && line.includes('echo') && line.includes('le="0.02"')
    );
    expect(server).toMatch(/mcp_method_name="tools\/call"/);
    expect(server).toMatch(/gen_ai_tool_name="echo"/);
    expect(server).toMatch(/gatelens_server_name="everything"/);
    expect(server).toMatch(/ 1$/);
    expect(lines.some((line) => line.includes('le="300"'))).toBe(true);
    // the caller's fault: no error of the server, an error of the client span
    expect(lines.some((line) => line.startsWith('mcp_server_operation') && line.includes('error_type'))).toBe(false);
    expect(lines.some((line) => line.startsWith('mcp_client_operation') && line.includes('error_type="-32602"'))).toBe(
      true
    );
    expect(lines.some((line) => line.startsWith('mcp_server_session_duration') && line.includes('_count'))).toBe(true);
    expect(text).not.toMatch(/marker|session-1|aaaaaaaa|127\.0\.0\.1|jsonrpc/);
  });

  it('do not grow with the names that clients and servers think of', async () => {
    const pipeline = await start({ prometheus });
    const rig = createRig({ metrics: createDurationMetrics(pipeline.meter) });
    for (let n = 0; n < 600; n++) {
      const [year, code] = [1000 + n, -40_000 - n];
      await record(
        rig,
        { target: { type: 'tool', name: `tool-${n}` }, protocolVersion: `${year}-01-01` },
        n % 2 === 0 ? { outcome: 'success' } : { outcome: 'rpc_error', errorType: String(code), rpcErrorCode: code }
      );
    }
    const text = await (await scrape(pipeline)).text();
    const distinct = (label: string): number =>
      new Set([...text.matchAll(new RegExp(`${label}="([^"]*)"`, 'g'))].map(([, value]) => value)).size;
    // as many as there may be, and one for all the others
    expect(distinct('gen_ai_tool_name')).toBe(201);
    expect(distinct('mcp_protocol_version')).toBe(9);
    expect(distinct('error_type')).toBe(51);
    expect(text).toMatch(/gen_ai_tool_name="_OTHER"/);
    // what was told apart goes on being so
    await record(rig, { target: { type: 'tool', name: 'tool-0' } });
    const counts = [
      ...(await (await scrape(pipeline)).text()).matchAll(
        /server_operation_duration\w*_count{[^}]*tool-0"[^}]*} (\d+)/g
      ),
    ];
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(2);
  });

  it('are what the audit counts, losses of mirrors included', async () => {
    const pipeline = await start({ prometheus });
    observeAudit(pipeline.meter, () => figures);
    const text = await (await scrape(pipeline)).text();
    const value = (name: string): string | undefined => new RegExp(`^${name}(?:{[^}]*})? (.+)$`, 'm').exec(text)?.[1];
    expect(
      [
        'gatelens_records_seen_total',
        'gatelens_records_recorded_total',
        'gatelens_records_shipped_total',
        'gatelens_records_lost_total',
        'gatelens_records_refused_total',
        'gatelens_spool_set_aside_total',
        'gatelens_mirror_exported_total',
        'gatelens_mirror_failed_total',
        'gatelens_mirror_dropped_total',
      ].map(value)
    ).toEqual(['10', '9', '8', '1', '2', '3', '5', '6', '7']);
    expect(text).toMatch(/^gatelens_spool_size\S* 4096$/m);
    expect(text).toMatch(/^gatelens_spool_oldest\S* 1\.5$/m);
  });

  it('are given to GET /metrics only, and with the token when there is one', async () => {
    const pipeline = await start({ prometheus: { ...prometheus, token: 'scraper-token-0123' } });
    const authorization = 'Bearer scraper-token-0123';
    const statuses = await Promise.all([
      scrape(pipeline),
      scrape(pipeline, { headers: { authorization: 'Bearer wrong' } }),
      scrape(pipeline, { headers: { authorization } }),
      scrape(pipeline, { headers: { authorization } }, '/other'),
      scrape(pipeline, { method: 'POST', headers: { authorization } }),
    ]);
    expect(statuses.map((response) => response.status)).toEqual([401, 401, 200, 404, 405]);
  });

  it('say what to do when the port is taken', async () => {
    const first = await start({ prometheus });
    const taken = { host: '127.0.0.1', port: first.endpoint?.port ?? 0 };
    await expect(startMetrics({ service, prometheus: taken })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('listen.metrics') as string,
    });
  });
});

describe('metrics by OTLP', () => {
  it('reach the configured backend, and a dead one disturbs nobody', async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(`${request.url} ${chunk.toString()}`));
      request.on('end', () => response.end('{}'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const pipeline = await startMetrics({
      service,
      otlp: [
        { url, intervalMs: 60_000 },
        { url: 'http://127.0.0.1:9', intervalMs: 60_000 },
      ],
    });
    await record(createRig({ metrics: createDurationMetrics(pipeline.meter) }));
    await pipeline.close();
    server.closeAllConnections();
    server.close();
    expect(bodies.join('')).toMatch(/^\/v1\/metrics .*mcp\.server\.operation\.duration/);
  });
});
