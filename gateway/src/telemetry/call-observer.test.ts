import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { caller, createRig, fakePseudonyms, record, success, toolCall } from '../../test/telemetry/fake-seams.ts';
import type { Outcome } from '../record/vocabulary.ts';

const SERVER = 2;
const CLIENT = 3;

describe('a call becomes', () => {
  it('a SERVER span by the MCP conventions, with everything the record defines', async () => {
    const rig = createRig();
    const callId = await record(rig);
    const server = rig.spool.spans().find((span) => span.kind === SERVER);
    expect(server).toMatchObject({
      name: 'tools/call echo',
      statusCode: 0,
      statusMessage: '',
      traceState: '',
      sampled: true,
    });
    expect(server?.endNs).toBe((server?.startNs ?? 0n) + 12_500_000n);
    expect(server?.resource).toEqual({
      'service.name': 'gatelens',
      'service.instance.id': 'gw-test',
      'service.version': '0.1.0',
    });
    expect(server?.attributes).toMatchObject({
      'gatelens.record.version': 1,
      'gatelens.kind': 'request',
      'gatelens.phase': 'closed',
      'gatelens.call.id': callId,
      'gatelens.server.name': 'everything',
      'gatelens.outcome': 'success',
      'gatelens.upstream.transport': 'http',
      'gatelens.upstream.attempts': 1,
      'gatelens.upstream.duration': 10_000_000,
      'gatelens.upstream.ttfb': 4_500_000,
      'gatelens.request.bytes': 46,
      'gatelens.response.bytes': 36,
      'gatelens.response.tokens': 9,
      'gatelens.capture.mode': 'full',
      'gatelens.payload.state': 'sealed',
      'gatelens.auth.method': 'api_key',
      'gatelens.api_key.name': 'ci',
      'gatelens.user.teams': ['blue', 'grün'],
      'gatelens.client.name': 'test-client',
      'gatelens.client.version': '1.2.3',
      'gatelens.session.key': fakePseudonyms.hash('session', 'session-1'),
      'gatelens.session.kind': 'mcp',
      'user.hash': caller.userKey,
      'client.address': '127.0.0.1',
      'mcp.method.name': 'tools/call',
      'mcp.protocol.version': '2025-11-25',
      'gen_ai.tool.name': 'echo',
      'gen_ai.operation.name': 'execute_tool',
      'jsonrpc.request.id': '7',
      'http.response.status_code': 200,
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
    });
    expect(server?.attributes).not.toHaveProperty('server.address');
    expect(server?.attributes).not.toHaveProperty('error.type');
  });

  it('a CLIENT span below it, that the upstream server was told, without a place in the chain', async () => {
    const rig = createRig();
    const call = rig.observer.begin(toolCall());
    await call.intent();
    rig.clock.pass(1);
    call.upstreamStarted();
    rig.clock.pass(20);
    await call.end(success);
    const [client, server] = rig.spool.spans();
    expect([client?.kind, server?.kind]).toEqual([CLIENT, SERVER]);
    expect(call.upstreamTrace.traceparent).toBe(`00-${client?.traceId}-${client?.spanId}-01`);
    expect(client?.parentSpanId).toBe(server?.spanId);
    expect(client?.startNs).toBe((server?.startNs ?? 0n) + 1_000_000n);
    expect(client?.endNs).toBe((client?.startNs ?? 0n) + 10_000_000n);
    expect(client?.attributes).toEqual({
      'mcp.method.name': 'tools/call',
      'mcp.protocol.version': '2025-11-25',
      'gen_ai.tool.name': 'echo',
      'gen_ai.operation.name': 'execute_tool',
      'jsonrpc.request.id': '7',
      'gatelens.server.name': 'everything',
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
      'server.address': 'up.example.com',
      'server.port': 8443,
    });
  });

  it('one append at arrival and one at the end, keys and payloads first', async () => {
    const rig = createRig();
    const callId = await record(rig, { caller: { ...caller, userKey: 'b'.repeat(32) } });
    const shape = rig.spool.appends.map((frames) =>
      frames.map((frame) =>
        frame.type === 'intent' ? 'intent' : `${frame.stream} settles ${frame.settles ?? 'nothing'}`
      )
    );
    // the key of a new user is not at hand: the request's payload waits for the completion
    expect(shape).toEqual([['intent'], ['payload settles nothing', `metadata settles ${callId}`]]);
    expect(rig.spool.logs().map((log) => log.eventName)).toEqual([
      'gatelens.data_key',
      'gatelens.payload.request',
      'gatelens.payload.response',
    ]);
  });

  it('payload events that lead back to the call, with what is needed to open them', async () => {
    const rig = createRig();
    const callId = await record(rig);
    expect(rig.spool.appends[0]?.map((frame) => frame.type)).toEqual(['record', 'intent']);
    const server = rig.spool.spans().find((span) => span.kind === SERVER);
    const [request, response] = rig.spool.logs();
    for (const [log, direction] of [
      [request, 'request'],
      [response, 'response'],
    ] as const) {
      const body = log?.body as Uint8Array;
      expect(log?.eventName).toBe(`gatelens.payload.${direction}`);
      expect([log?.traceId, log?.spanId]).toEqual([server?.traceId, server?.spanId]);
      expect(log?.attributes).toMatchObject({
        'log.record.uid': `${callId}/${direction}`,
        'gatelens.call.id': callId,
        'gatelens.call.started_at': String(server?.startNs),
        'gatelens.payload.direction': direction,
        'gatelens.payload.sha256': createHash('sha256').update(body).digest('hex'),
        'gatelens.envelope.v': 1,
        'gatelens.envelope.alg': 'A256GCM',
        'gatelens.capture.mode': 'full',
        'user.hash': caller.userKey,
      });
      expect(server?.attributes[`gatelens.payload.${direction}.sha256`]).toBe(
        log?.attributes['gatelens.payload.sha256']
      );
    }
  });

  it.each([
    ['success', {}, 0, 0],
    ['tool_error', { errorType: 'tool_error' }, 2, 2],
    ['rpc_error', { errorType: '-32603', rpcErrorCode: -32603 }, 2, 2],
    ['rpc_error', { errorType: '-32602', rpcErrorCode: -32602 }, 0, 2],
    ['denied', { errorType: 'policy_denied', deniedBy: 'policy', policyRule: 'no-hr' }, 0, 0],
    ['timeout', { errorType: 'upstream_timeout' }, 2, 2],
    ['cancelled', { errorType: 'client_gone' }, 0, 0],
    ['upstream_unreachable', { errorType: 'upstream_reset' }, 2, 2],
  ] as const)('%s with %j: status %i for the agent, %i upstream', async (outcome, end, serverStatus, clientStatus) => {
    const rig = createRig();
    await record(rig, {}, { outcome: outcome as Outcome, ...end });
    const [client, server] = rig.spool.spans();
    expect([server?.statusCode, client?.statusCode]).toEqual([serverStatus, clientStatus]);
    expect(server?.attributes['gatelens.outcome']).toBe(outcome);
    expect(server?.attributes['error.type']).toBe('errorType' in end ? end.errorType : undefined);
    expect(server?.attributes['rpc.response.status_code']).toBe(
      'rpcErrorCode' in end ? String(end.rpcErrorCode) : undefined
    );
  });

  it.each([
    ['the rule that let it pass', {}, 'team-a'],
    ['the rule that denied it later', { outcome: 'denied', policyRule: 'no-hr' } as const, 'no-hr'],
  ])('names %s', async (_, end, rule) => {
    const rig = createRig();
    await record(rig, { policyRule: 'team-a' }, { outcome: 'success', ...end });
    expect(rig.spool.spans().at(-1)?.attributes['gatelens.policy.rule']).toBe(rule);
  });

  it('an attempt when it was refused before it went upstream', async () => {
    const rig = createRig();
    const call = rig.observer.begin(toolCall());
    await call.intent();
    await call.end({ outcome: 'denied', errorType: 'policy_denied', deniedBy: 'policy', policyRule: '2' });
    expect(rig.spool.spans().map((span) => [span.kind, span.attributes['gatelens.kind']])).toEqual([
      [SERVER, 'attempt'],
    ]);
    expect(rig.spool.records()[0]?.settles).toBe(call.callId);
  });

  it('an attempt without an intent when it never could go upstream', async () => {
    const rig = createRig();
    await record(
      rig,
      { kind: 'attempt', server: 'nobody', serverKnown: false, method: '', upstreamTransport: 'none' },
      { outcome: 'denied', errorType: 'server_unknown' }
    );
    expect(rig.spool.intents()).toEqual([]);
    expect(rig.spool.spans()[0]?.attributes).toMatchObject({
      'gatelens.server.name': '(unlisted)',
      'mcp.method.name': '(unknown)',
    });
  });

  it('one record, however often it ends', async () => {
    const rig = createRig();
    const call = rig.observer.begin(toolCall());
    const first = call.end({ outcome: 'cancelled' });
    const second = call.end(success);
    expect(second).toBe(first);
    await second;
    expect(rig.spool.spans().map((span) => span.attributes['gatelens.outcome'])).toEqual(['cancelled']);
  });
});

describe('a stream', () => {
  it('is recorded open at its begin and closed at its end, by the same key', async () => {
    const rig = createRig();
    const call = rig.observer.begin(toolCall({ kind: 'stream', method: 'stream', requestBody: Buffer.alloc(0) }));
    await call.intent();
    expect(rig.spool.appends[0]?.map((frame) => frame.type)).toEqual(['record', 'record', 'intent']);
    rig.clock.pass(60_000);
    await call.end({ outcome: 'success', httpStatus: 200 });
    const [open, closed] = rig.spool.spans();
    expect([open?.attributes['gatelens.phase'], closed?.attributes['gatelens.phase']]).toEqual(['open', 'closed']);
    expect([open?.attributes['gatelens.chain.seq'], closed?.attributes['gatelens.chain.seq']]).toEqual([1, 2]);
    expect(open?.attributes['gatelens.call.id']).toBe(closed?.attributes['gatelens.call.id']);
    expect(open?.startNs).toBe(closed?.startNs);
    expect(open?.endNs).toBe(open?.startNs);
    expect(open?.attributes).not.toHaveProperty('gatelens.outcome');
    expect([open?.traceId, open?.parentSpanId]).toEqual([closed?.traceId, closed?.spanId]);
    expect(rig.spool.records().map((frame) => frame.settles)).toEqual([undefined, call.callId]);
  });
});

describe('trace context', () => {
  it('of an unsampled caller stays unsampled, and is recorded all the same', async () => {
    const rig = createRig();
    const traceparent = `00-${'a'.repeat(32)}-${'1'.repeat(16)}-00`;
    const call = rig.observer.begin(toolCall({ metaTrace: { traceparent, tracestate: 'vendor=1' } }));
    call.upstreamStarted();
    await call.end(success);
    const [client, server] = rig.spool.spans();
    expect([server?.traceId, server?.parentSpanId, server?.sampled]).toEqual(['a'.repeat(32), '1'.repeat(16), false]);
    expect(call.upstreamTrace).toEqual({
      traceparent: `00-${'a'.repeat(32)}-${client?.spanId}-00`,
      tracestate: 'vendor=1',
    });
    expect(rig.spool.logs()).toHaveLength(2);
  });

  it('of HTTP becomes a link when _meta has one', async () => {
    const rig = createRig();
    await record(rig, {
      metaTrace: { traceparent: `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01` },
      httpTrace: { traceparent: `00-${'b'.repeat(32)}-${'2'.repeat(16)}-01` },
    });
    const server = rig.spool.spans().find((span) => span.kind === SERVER);
    expect(server?.links).toEqual([{ traceId: 'b'.repeat(32), spanId: '2'.repeat(16) }]);
    expect(server?.attributes['gatelens.http.trace_linked']).toBe(true);
  });

  it('switches of the environment cannot turn recording off', async () => {
    const before = { ...process.env };
    Object.assign(process.env, {
      OTEL_SDK_DISABLED: 'true',
      OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_ATTRIBUTE_COUNT_LIMIT: '3',
    });
    try {
      const rig = createRig();
      await record(rig);
      expect(Object.keys(rig.spool.spans()[1]?.attributes ?? {}).length).toBeGreaterThan(30);
    } finally {
      for (const key of Object.keys(process.env)) if (!(key in before)) Reflect.deleteProperty(process.env, key);
    }
  });
});
