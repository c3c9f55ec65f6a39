import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { MIRROR_ATTRIBUTES, MIRROR_QUEUE_SPANS } from '../../src/telemetry/mirror.ts';
import { startMirrors, type Mirrors } from '../../src/telemetry/sdk.ts';
import { LinesLogger, createRig, record, success, toolCall } from './fake-seams.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function backend(status: number): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
}

async function start(url: string, logger = new LinesLogger()): Promise<Mirrors> {
  const mirrors = await startMirrors({
    mirrors: [{ name: 'vendor', url, headers: { 'x-tenant': 'blue' }, token: 'mirror-token' }],
    service: { version: '0.1.0', instanceId: 'gw-test' },
    logger,
    monotonicMs: () => performance.now(),
    scheduledDelayMs: 20,
  });
  closing.push(() => mirrors.close());
  return mirrors;
}

const spansOf = (received: readonly Received[]): OtlpSpan[] =>
  received.flatMap((one) =>
    (JSON.parse(one.body) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] }).resourceSpans.flatMap(
      (resource) => resource.scopeSpans.flatMap((scope) => scope.spans)
    )
  );

describe('a mirror', () => {
  it('gets sampled metadata spans with allow-listed attributes, and nothing else', async () => {
    const { url, received } = await backend(200);
    const mirrors = await start(url);
    const rig = createRig({ mirrors });
    await record(rig, { requestBody: Buffer.from('MARKER'), requestHeaders: [['x', 'MARKER']] });
    await record(rig, {
      metaTrace: { traceparent: `00-${'f'.repeat(32)}-${'1'.repeat(16)}-00`, tracestate: 'v=MARKER' },
    });
    await record(
      rig,
      { method: 'resources/read', target: { type: 'resource', name: 'file:///home/MARKER' } },
      { outcome: 'upstream_unreachable', errorType: 'upstream_reset' }
    );
    const stream = rig.observer.begin(toolCall({ kind: 'stream', method: 'stream' }));
    await stream.end({ outcome: 'success' });
    await mirrors.close();

    const spans = spansOf(received);
    expect(spans.map((span) => span.name).sort()).toEqual([
      'resources/read',
      'resources/read',
      'stream echo',
      'tools/call echo',
      'tools/call echo',
    ]);
    const keys = new Set(spans.flatMap((span) => span.attributes.map((attribute) => attribute.key)));
    expect([...keys].filter((key) => !MIRROR_ATTRIBUTES.has(key))).toEqual([]);
    expect(keys.size).toBeGreaterThan(20);
    expect(spans.map((span) => span.status.message).filter((message) => message !== undefined)).toEqual([]);
    expect(spans.filter((span) => span.name === 'resources/read').map((span) => span.status.code)).toEqual([2, 2]);
    const bytes = received.map((one) => one.body).join('\n');
    for (const secret of [
      'MARKER',
      'f'.repeat(32),
      'user.hash',
      '127.0.0.1"',
      'gatelens.api_key',
      'session',
      'gatelens.chain.',
    ]) {
      expect(bytes).not.toContain(secret);
    }
    expect(received[0]).toMatchObject({ path: '/v1/traces' });
    expect(received[0]?.headers).toMatchObject({ authorization: 'Bearer mirror-token', 'x-tenant': 'blue' });
    expect(mirrors.stats()).toEqual([{ name: 'vendor', exported: 5, failed: 0, dropped: 0 }]);
    // the audit has what the mirror does not get
    expect(rig.spool.spans().length).toBe(8);
  });

  it('that fails is counted and logged once, while the audit goes on', async () => {
    const { url } = await backend(400);
    const logger = new LinesLogger();
    const mirrors = await start(url, logger);
    const rig = createRig({ mirrors });
    await record(rig);
    await mirrors.close();
    await record(rig);
    expect(mirrors.stats()).toEqual([{ name: 'vendor', exported: 0, failed: 2, dropped: 0 }]);
    expect(logger.lines).toEqual([
      { level: 'warn', event: 'mirror.export_failed', fields: { mirror: 'vendor', failed_total: 2 } },
    ]);
    expect(rig.observer.counts).toMatchObject({ recorded: 2, lost: 0 });
  });

  it('that hangs drops spans beyond its queue, and counts them', async () => {
    const hanging = createServer(() => undefined);
    hanging.listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    closing.push(async () => {
      hanging.closeAllConnections();
      hanging.close();
      await once(hanging, 'close');
    });
    const mirrors = await start(`http://127.0.0.1:${(hanging.address() as AddressInfo).port}`);
    const rig = createRig({ mirrors, capture: { mode: 'off', maxBytes: 0 } });
    const calls = MIRROR_QUEUE_SPANS / 2 + 100;
    for (let i = 0; i < calls; i += 1) {
      const call = rig.observer.begin(toolCall());
      call.upstreamStarted();
      await call.end(success);
    }
    expect(mirrors.stats()[0]?.dropped).toBe(200);
    expect(rig.observer.counts.recorded).toBe(calls);
    closing.pop();
    hanging.closeAllConnections();
    hanging.close();
    await mirrors.close();
  });

  it('that nobody asked for costs nothing', async () => {
    const mirrors = await startMirrors({
      mirrors: [],
      service: { version: '0.1.0', instanceId: 'gw-test' },
      logger: silentLogger,
      monotonicMs: () => 0,
    });
    expect([mirrors.spanProcessors, mirrors.stats()]).toEqual([[], []]);
    await mirrors.close();
  });
});
