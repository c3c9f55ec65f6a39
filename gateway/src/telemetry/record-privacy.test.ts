import { describe, expect, it } from 'vitest';
import { caller, createRig, record, success, toolCall } from '../../test/telemetry/fake-seams.ts';
import type { CallEnd, CallStart } from '../mcp/observer.ts';

const MARKER = 'Zanzibar-4711';
const marked = (text: string): Uint8Array => Buffer.from(text.replaceAll('$', MARKER));

/** Every shape in which a marker could hide in bytes. */
function appearances(bytes: Buffer): string[] {
  const shapes: Record<string, Buffer> = {
    plain: Buffer.from(MARKER),
    base64: Buffer.from(Buffer.from(MARKER).toString('base64').slice(2, -4)),
    hex: Buffer.from(Buffer.from(MARKER).toString('hex')),
    utf16: Buffer.from(MARKER, 'utf16le'),
    reversedCase: Buffer.from(MARKER.toUpperCase()),
  };
  return Object.keys(shapes).filter((name) => bytes.includes(shapes[name] ?? ''));
}

const places: readonly (readonly [where: string, start: Partial<CallStart>, end: Partial<CallEnd>])[] = [
  ['arguments', { requestBody: marked('{"params":{"arguments":{"a":"$"}}}') }, {}],
  ['the result', {}, { response: { chunks: [marked('{"result":"$"}')], bytes: 30, format: 'json' } }],
  ['streamed chunks', {}, { response: { chunks: [marked('data: $'), marked('$\n\n')], bytes: 40, format: 'sse' } }],
  [
    'request headers',
    {
      requestHeaders: [
        ['authorization', `Bearer ${MARKER}`],
        [`x-${MARKER}`, '1'],
      ],
    },
    {},
  ],
  ['response headers', {}, { responseHeaders: [['set-cookie', MARKER]] }],
  [
    'an unlisted tool name',
    { target: { type: 'tool', name: MARKER } },
    { outcome: 'tool_error', errorType: 'tool_error' },
  ],
  [
    'an unlisted prompt name',
    { method: 'prompts/get', target: { type: 'prompt', name: MARKER } },
    { outcome: 'rpc_error' },
  ],
  [
    'an unlisted resource',
    { method: 'resources/read', target: { type: 'resource', name: `x:/${MARKER}` } },
    { outcome: 'rpc_error' },
  ],
  ['a subscription to anything', { method: 'resources/subscribe', target: { type: 'resource', name: MARKER } }, {}],
  [
    'the query of a resource',
    { method: 'resources/read', target: { type: 'resource', name: `x://h/p?q=${MARKER}#${MARKER}` } },
    {},
  ],
  [
    'the user info of a resource',
    { method: 'resources/read', target: { type: 'resource', name: `x://u:${MARKER}@h/p` } },
    {},
  ],
  ['an inline resource', { method: 'resources/read', target: { type: 'resource', name: `data:,${MARKER}` } }, {}],
  ['an unknown method', { method: MARKER }, { outcome: 'rpc_error' }],
  ['an unknown server', { kind: 'attempt', server: MARKER, serverKnown: false }, { outcome: 'denied' }],
  ['a JSON-RPC id', { rpcId: `"${MARKER}"` }, {}],
  ['an error type that is a text', {}, { outcome: 'rpc_error', errorType: `boom ${MARKER}` }],
  ['the session id', { session: { id: MARKER, kind: 'mcp' } }, { session: { id: MARKER, kind: 'mcp' } }],
  ['the protocol version', { protocolVersion: MARKER }, { protocolVersion: MARKER }],
  ['the client address', { clientAddress: MARKER }, {}],
  ['trace context', { metaTrace: { traceparent: MARKER, tracestate: `v=${MARKER}`, baggage: `k=${MARKER}` } }, {}],
  [
    'tracestate and baggage of a good trace',
    {
      metaTrace: {
        traceparent: `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01`,
        tracestate: `v=${MARKER}`,
        baggage: `k=${MARKER}`,
      },
    },
    {},
  ],
];

describe('metadata and intents never hold', () => {
  it.each(places)('%s', async (_where, start, end) => {
    const rig = createRig();
    await record(rig, start, end);
    expect(rig.spool.spans().length).toBeGreaterThan(0);
    expect(appearances(rig.spool.metadataBytes())).toEqual([]);
    expect(JSON.stringify(rig.logger.lines)).not.toContain(MARKER);
    // and on the payload's side it is there for auditors, encrypted
    expect(appearances(Buffer.concat(rig.spool.frames().map((frame) => frame.bytes)))).toEqual([]);
  });

  it('a principal: the e-mail is in the erasable event and nowhere else', async () => {
    const rig = createRig();
    rig.observer.rememberPrincipal({
      userKey: caller.userKey,
      principal: { subject: 'ana@example.com', email: 'ana@example.com', name: 'Ana' },
    });
    await record(rig);
    expect(rig.spool.metadataBytes().includes('ana@example.com')).toBe(false);
    expect(rig.spool.logs().find((log) => log.eventName === 'gatelens.principal')?.attributes).toMatchObject({
      'user.hash': caller.userKey,
      'user.email': 'ana@example.com',
      'user.full_name': 'Ana',
    });
  });
});

describe('names', () => {
  const toolName = (rig: ReturnType<typeof createRig>): unknown =>
    rig.spool.spans().at(-1)?.attributes['gen_ai.tool.name'];

  it('are shown once the upstream server listed them', async () => {
    const rig = createRig();
    await record(rig, {}, { outcome: 'tool_error' });
    expect(toolName(rig)).toBe('(unlisted)');
    await rig.observer
      .begin(toolCall({ method: 'tools/list' }))
      .end({ ...success, listed: { type: 'tool', names: ['echo', 'x'.repeat(300)] } });
    await record(rig, {}, { outcome: 'tool_error' });
    expect(toolName(rig)).toBe('echo');
    expect(rig.spool.spans().at(-1)?.name).toBe('tools/call echo');
    await record(rig, { target: { type: 'tool', name: 'x'.repeat(300) } }, { outcome: 'timeout' });
    expect(toolName(rig)).toBe(`${'x'.repeat(255)}…`);
  });

  it('are shown once the upstream server answered them with a result, not with an error result', async () => {
    const rig = createRig();
    for (const outcome of ['tool_error', 'success', 'tool_error'] as const) await record(rig, {}, { outcome });
    const shown = rig.spool
      .spans()
      .filter((span) => span.kind === 2)
      .map((span) => span.attributes['gen_ai.tool.name']);
    expect(shown).toEqual(['(unlisted)', 'echo', 'echo']);
  });

  it('of one server say nothing about another', async () => {
    const rig = createRig();
    await record(rig);
    await record(rig, { server: 'other' }, { outcome: 'tool_error' });
    expect(toolName(rig)).toBe('(unlisted)');
  });

  it('that failed to be listed are not learnt', async () => {
    const rig = createRig();
    await rig.observer.begin(toolCall()).end({ outcome: 'rpc_error', listed: { type: 'tool', names: ['echo'] } });
    expect(toolName(rig)).toBe('(unlisted)');
  });
});

describe('capture', () => {
  it('off: keeps sizes only, and asks the relay for no bytes', async () => {
    const rig = createRig({ capture: { mode: 'off', maxBytes: 1024 } });
    const call = rig.observer.begin(toolCall());
    expect(call.captureBytes).toBe(0);
    await call.end(success);
    expect(rig.spool.logs()).toEqual([]);
    expect(rig.spool.spans()[0]?.attributes).toMatchObject({
      'gatelens.capture.mode': 'off',
      'gatelens.payload.state': 'off',
      'gatelens.request.bytes': 46,
      'gatelens.response.bytes': 36,
    });
  });

  it('hash: keeps a keyed digest and sizes, no bytes', async () => {
    const rig = createRig({ capture: { mode: 'hash', maxBytes: 1024 } });
    await record(rig);
    const [request, response] = rig.spool.logs();
    expect([request?.body, response?.body]).toEqual([undefined, undefined]);
    expect(request?.attributes).toMatchObject({ 'gatelens.payload.bytes': 46, 'gatelens.payload.truncated': false });
    expect(request?.attributes['gatelens.payload.digest']).toMatch(/^[0-9a-f]{32}$/);
    expect(request?.attributes).not.toHaveProperty('gatelens.envelope.key_id');
    expect(rig.spool.spans()[1]?.attributes['gatelens.payload.state']).toBe('hashed');
    expect(rig.sealer.inputs).toEqual([]);
  });

  it('cuts at the cap and says so', async () => {
    const rig = createRig({ capture: { mode: 'redacted', maxBytes: 10 } });
    const call = rig.observer.begin(toolCall());
    expect(call.captureBytes).toBe(10);
    await call.end({ ...success, response: { chunks: [Buffer.alloc(10)], bytes: 5000, format: 'json' } });
    expect(rig.sealer.inputs.map((input) => [input.mode, Buffer.concat(input.chunks).length, input.bytes])).toEqual([
      ['redacted', 10, 46],
      ['redacted', 10, 5000],
    ]);
    expect(rig.spool.spans()[0]?.attributes['gatelens.payload.state']).toBe('sealed_truncated');
    expect(rig.observer.payloadCounts).toEqual({ truncated: 2, failed: 0 });
    expect(rig.spool.logs().map((log) => log.attributes['gatelens.payload.bytes'])).toEqual([46, 5000]);
  });

  it.each(['sync', 'async'] as const)('stores nothing when sealing fails (%s), and says so', async (failing) => {
    const rig = createRig();
    rig.sealer.failing = failing;
    await record(rig, { requestBody: marked('{"a":"$"}') });
    expect(rig.spool.logs()).toEqual([]);
    expect(rig.spool.spans()[1]?.attributes['gatelens.payload.state']).toBe('failed');
    expect(rig.logger.lines.map((line) => line.event)).toContain('payload.seal_failed');
    expect(rig.observer.payloadCounts).toEqual({ truncated: 0, failed: 2 });
  });

  it('has no event for a message without body and headers', async () => {
    const rig = createRig();
    const call = rig.observer.begin(
      toolCall({ kind: 'notification', requestBody: Buffer.alloc(0), requestHeaders: [] })
    );
    await call.end({ outcome: 'success' });
    expect(rig.spool.logs()).toEqual([]);
    expect(rig.spool.spans()[0]?.attributes['gatelens.payload.state']).toBe('none');
  });
});

describe('keys and principals', () => {
  it('a new key goes before or with the first payload that needs it, whosever append that is', async () => {
    const rig = createRig();
    const newUser = { ...caller, userKey: 'c'.repeat(32) };
    const first = rig.observer.begin(toolCall({ caller: newUser }));
    await new Promise((resolve) => setImmediate(resolve));
    const second = rig.observer.begin(toolCall({ caller: newUser }));
    await second.intent();
    expect(rig.spool.logs().map((log) => log.eventName)).toEqual(['gatelens.data_key', 'gatelens.payload.request']);
    await Promise.all([first.end(success), second.end(success)]);
    expect(rig.spool.logs().filter((log) => log.eventName === 'gatelens.data_key')).toHaveLength(1);
    expect(rig.spool.logs()[0]?.attributes).toMatchObject({
      'user.hash': newUser.userKey,
      'gatelens.data_key.kek_id': 'kek-1',
    });
  });

  it('what the disk refused is sent with the next append', async () => {
    const rig = createRig({ audit: { durability: 'before-reply', onFailure: 'pass' } });
    const newUser = { ...caller, userKey: 'd'.repeat(32) };
    rig.observer.rememberPrincipal({ userKey: newUser.userKey, principal: { subject: 'x', login: 'x' } });
    rig.spool.fail();
    await record(rig, { caller: newUser });
    rig.spool.failure = undefined;
    await record(rig, { caller: newUser });
    const events = rig.spool.logs().map((log) => log.eventName);
    expect(events.slice(0, 3)).toEqual(['gatelens.data_key', 'gatelens.principal', 'gatelens.payload.request']);
  });

  it('a principal is sent once, and again when it changed', async () => {
    const rig = createRig();
    const principal = { subject: 'ana', login: 'ana' };
    for (const login of ['ana', 'ana', 'ana.b']) {
      rig.observer.rememberPrincipal({ userKey: caller.userKey, principal: { ...principal, login } });
      await record(rig);
    }
    const sent = rig.spool.logs().filter((log) => log.eventName === 'gatelens.principal');
    expect(sent.map((log) => log.attributes['user.name'])).toEqual(['ana', 'ana.b']);
  });

  it('a request whose intent was refused is stored with the completion', async () => {
    const rig = createRig({ audit: { durability: 'before-reply', onFailure: 'pass' } });
    rig.spool.fail();
    const call = rig.observer.begin(toolCall());
    await call.intent();
    rig.spool.failure = undefined;
    await call.end(success);
    expect(rig.spool.logs().map((log) => log.eventName)).toEqual([
      'gatelens.payload.request',
      'gatelens.payload.response',
    ]);
  });
});
