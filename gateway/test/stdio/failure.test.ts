/** What goes wrong with children, clients and the record, and what each side sees of it. Nothing may be lost or left. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fixtureServer, isRunning, serveBridge, type BridgeServer } from './bridge-server.ts';
import { RawClient, textOf } from './raw-client.ts';
import { answerOf } from './recording-observer.ts';

let server: BridgeServer;

async function connect(mode?: string, options?: Parameters<typeof fixtureServer>[1]): Promise<RawClient> {
  server = await fixtureServer(mode, options);
  const client = new RawClient(server.url);
  await client.initialize();
  return client;
}

afterEach(async () => {
  const { pids } = server.bridge.state();
  await server.close();
  expect(server.observer.open).toEqual([]);
  for (const pid of pids) expect(await isRunning(pid)).toBe(false);
  expect(server.logs.join()).not.toContain('SECRET');
});

describe('a child that cannot start', () => {
  it('is a 502 that names the server and what to check, and no value of its environment', async () => {
    server = await serveBridge({ command: '/no/such/program', args: ['--key=SECRET-ARG'], env: { KEY: 'SECRET-ENV' } });
    const answer = await new RawClient(server.url).initialize();
    expect(answer.status).toBe(502);
    expect(answer.messages[0]).toMatchObject({ id: 0, error: { code: -32002 } });
    expect(answer.text).toMatch(/\\"fixture\\" could not be started \(ENOENT\).*mcpServers\.fixture/);
    expect(answer.text).not.toContain('SECRET');
    expect(answer.sessionId).toBeNull();
    expect(server.observer.of('request')[0]?.end).toMatchObject({ outcome: 'upstream_unreachable', httpStatus: 502 });
    expect(answerOf(server.observer.of('request')[0])).toBe(answer.text);
  });

  it('is a 502 too when the operating system refuses its arguments', async () => {
    server = await serveBridge({ command: process.execPath, args: ['nul\0byte'] });
    expect((await new RawClient(server.url).initialize()).status).toBe(502);
    expect(server.observer.of('attempt')[0]?.end?.outcome).toBe('upstream_unreachable');
  });

  it('because it ends at once tells the exit code and not what it printed', async () => {
    server = await fixtureServer('die');
    const answer = await new RawClient(server.url).initialize();
    expect([answer.status, answer.text]).toEqual([502, expect.stringContaining('exit code 7')]);
    expect(answer.text).not.toContain('SECRET');
    expect(server.bridge.state()).toMatchObject({ startFailures: 1, stderrBytes: 'SECRET-STDERR\n'.length });
  });

  it('is not started over and over', async () => {
    server = await fixtureServer('die');
    const client = new RawClient(server.url);
    for (let attempt = 0; attempt < 3; attempt += 1) await client.initialize();
    const refused = await client.initialize();
    expect([refused.status, refused.text]).toEqual([502, expect.stringContaining('failed to start 3 times in a row')]);
    expect(server.bridge.state().childrenStarted).toBe(3);
    expect(server.observer.of('attempt')[0]?.end?.outcome).toBe('upstream_unreachable');
    // Another caller is not locked out by it.
    const other = await new RawClient(server.url, { 'x-user': 'ben' }).initialize();
    expect(other.text).toContain('exit code 7');
  });

  it('because it never answers initialize is a timeout', async () => {
    server = await fixtureServer('silent', { limits: { startTimeoutMs: 300 } });
    const answer = await new RawClient(server.url).initialize();
    expect([answer.status, answer.text]).toEqual([504, expect.stringContaining('within 300 ms')]);
    expect(server.observer.of('request')[0]?.end).toMatchObject({ outcome: 'timeout', errorType: 'upstream_timeout' });
    expect(server.bridge.state().sessions).toBe(0);
  });

  it('because it refuses the client passes its error on and opens no session', async () => {
    server = await fixtureServer('refuse');
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const answer = await new RawClient(server.url).initialize();
      expect([answer.status, answer.messages[0]?.error?.message]).toEqual([200, 'not you']);
    }
    expect(server.bridge.state()).toMatchObject({ sessions: 0, startFailures: 0 });
    expect(server.observer.of('request')[0]?.end?.outcome).toBe('rpc_error');
  });
});

describe('a child that dies', () => {
  it('ends each open request with an error, and the session', async () => {
    const client = await connect();
    const slow = client.call('silent', {}, { id: 'slow' });
    const stream = client.post(
      { jsonrpc: '2.0', id: 'stream', method: 'tools/call', params: { name: 'silent' } },
      { accept: 'text/event-stream' }
    );
    await vi.waitFor(() => {
      expect(server.observer.tool('silent').filter((call) => call.started)).toHaveLength(2);
    });
    const dying = await client.call('die');
    expect([dying.status, dying.text]).toEqual([502, expect.stringContaining('exit code 3')]);
    expect((await slow).messages[0]).toMatchObject({ id: 'slow', error: { code: -32002 } });
    expect((await stream).messages[0]).toMatchObject({ id: 'stream', error: { code: -32002 } });
    for (const call of [...server.observer.tool('silent'), ...server.observer.tool('die')]) {
      expect(call.end).toMatchObject({ outcome: 'upstream_unreachable', errorType: 'child_exited' });
    }
    expect((await client.call('pid')).status).toBe(404);
    expect(server.bridge.state()).toMatchObject({ childrenLost: 1, startFailures: 0 });
    // And the client can start over.
    client.sessionId = undefined;
    await client.initialize();
    expect(textOf(await client.call('pid'))).toMatch(/^\d+$/);
  });

  it('right after an answer without a newline still has answered', async () => {
    const client = await connect();
    expect((await client.call('answer-and-die')).messages[0]?.result).toEqual({ content: [] });
    expect(server.observer.tool('answer-and-die')[0]?.end?.outcome).toBe('success');
  });

  it('takes along what it started', async () => {
    const client = await connect();
    const grandchild = Number(textOf(await client.call('grandchild')));
    expect(await isRunning(grandchild)).toBe(true);
    await client.call('die');
    await vi.waitFor(async () => expect(await isRunning(grandchild)).toBe(false), 5_000);
  });
});

describe('a child that writes nonsense', () => {
  it('is read on, and its text is counted and shown nowhere', async () => {
    const client = await connect();
    const answer = await client.call('garbage');
    expect(textOf(answer)).toBe('after garbage');
    expect(answer.text).not.toContain('SECRET');
    expect(server.bridge.state().garbageLines).toBe(4);
  });

  it('longer than a message may be is ended, with the reason', async () => {
    const client = await connect('normal', { limits: { maxMessageBytes: 100_000 } });
    const answer = await client.call('big', { bytes: 200_000 });
    expect([answer.status, answer.text]).toEqual([502, expect.stringContaining('longer than 100000 bytes')]);
    expect(server.observer.tool('big')[0]?.end).toMatchObject({ errorType: 'upstream_protocol' });
    expect((await client.call('pid')).status).toBe(404);
  });
});

describe('a child that does not answer', () => {
  it('times out, and is told that nobody waits', async () => {
    const client = await connect('normal', { limits: { requestTimeoutMs: 500 } });
    const answer = await client.call('silent', {}, { id: 'late' });
    expect([answer.status, answer.messages[0]?.id]).toEqual([504, 'late']);
    expect(answer.text).toContain('did not answer within 500 ms');
    expect(server.observer.tool('silent')[0]?.end).toMatchObject({ outcome: 'timeout', errorType: 'upstream_timeout' });
    expect(textOf(await client.call('cancelled'))).toBe('[2]');
  });

  it('has its full time again with each progress', async () => {
    const client = await connect('normal', { limits: { requestTimeoutMs: 500 } });
    const answer = await client.call('steps', { label: 'done', steps: 180 }, { meta: { progressToken: 1 } });
    expect(textOf(answer)).toBe('done');
  });

  it('gets an event stream under way, so that nothing between takes the connection for dead', async () => {
    const client = await connect('normal', { limits: { sseAfterMs: 50, keepAliveMs: 20 } });
    const answer = await client.call('slow', { ms: 300, label: 'done' });
    expect(answer.type).toBe('text/event-stream');
    expect(answer.text).toContain(': keep-alive');
    expect(textOf(answer)).toBe('done');
  });

  it('and does not read refuses more when too much waits for it', async () => {
    const client = await connect('normal', { limits: { maxBacklogBytes: 200_000, requestTimeoutMs: 2_000 } });
    await client.call('deaf');
    const filling = Array.from({ length: 8 }, () => client.call('pid', { fill: 'x'.repeat(100_000) }));
    await vi.waitFor(async () => {
      const refused = await client.call('pid');
      expect([refused.status, refused.text]).toEqual([502, expect.stringContaining('does not read its input')]);
    });
    await client.open('DELETE');
    await Promise.all(filling);
  });
});

describe('a client that goes away', () => {
  it('in the middle of a request has it cancelled at the server', async () => {
    const client = await connect();
    const abort = new AbortController();
    const call = client.call('silent', {}, { signal: abort.signal });
    await vi.waitFor(() => expect(server.observer.tool('silent')[0]?.started).toBe(true));
    abort.abort();
    await expect(call).rejects.toThrow();
    await vi.waitFor(() => {
      expect(server.observer.tool('silent')[0]?.end).toMatchObject({ outcome: 'cancelled', errorType: 'client_gone' });
    });
    expect(textOf(await client.call('cancelled'))).toBe('[2]');
  });

  it('before initialize is answered leaves no child', async () => {
    server = await fixtureServer('silent');
    const abort = new AbortController();
    const client = new RawClient(server.url);
    const opening = client.open('POST', {}, initialize(), abort.signal);
    await vi.waitFor(() => expect(server.bridge.state().sessions).toBe(1));
    const [pid] = server.bridge.state().pids;
    abort.abort();
    await expect(opening).rejects.toThrow();
    await vi.waitFor(async () => expect(await isRunning(pid ?? 0)).toBe(false));
    expect(server.observer.of('request')[0]?.end?.outcome).toBe('cancelled');
    expect(server.bridge.state().startFailures).toBe(0);
  });

  it('and cancels by notification ends the request, whose answer nobody gets', async () => {
    const client = await connect();
    const call = client.call('silent', {}, { id: 'c1' });
    await vi.waitFor(() => expect(server.observer.tool('silent')[0]?.started).toBe(true));
    const params = { requestId: 'c1', reason: 'changed my mind' };
    await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    expect((await call).messages).toEqual([]);
    expect(server.observer.tool('silent')[0]?.end?.outcome).toBe('cancelled');
    expect(textOf(await client.call('cancelled'))).toBe('[2]');
  });

  it('cannot cancel what is not its own request, by an id that only looks right', async () => {
    const client = await connect();
    const call = client.call('slow', { ms: 200, label: 'mine' }, { id: 'c1' });
    await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
    expect(textOf(await call)).toBe('mine');
    expect(textOf(await client.call('cancelled'))).toBe('[]');
    expect(server.bridge.state().unknownCancellations).toBe(1);
  });

  it('from a stream has some time to come back for the rest, then its request is cancelled', async () => {
    const client = await connect('normal', { limits: { resumeGraceMs: 100 } });
    const abort = new AbortController();
    const response = await client.open('POST', { accept: 'text/event-stream' }, toolCall('silent'), abort.signal);
    await response.body?.getReader().read();
    abort.abort();
    await vi.waitFor(() => expect(server.observer.tool('silent')[0]?.end?.outcome).toBe('cancelled'));
    expect(textOf(await client.call('cancelled'))).toBe('[2]');
  });

  it('without reading does not make the gateway hold its answers for ever', async () => {
    const client = await connect('normal', { limits: { stallTimeoutMs: 300, maxQueuedBytes: 1_000_000 } });
    const response = await client.open('POST', {}, toolCall('big', { bytes: 30_000_000 }));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await expect(response.text()).rejects.toThrow();
    expect(textOf(await client.call('pid'))).toMatch(/^\d+$/);
  });
});

describe('a call that cannot be recorded', () => {
  it('is refused with 503, and cancelled at the server', async () => {
    const client = await connect();
    server.observer.refuses = (start, phase) => phase === 'intent' && start.target?.name === 'silent';
    const answer = await client.call('silent', {}, { id: 'r' });
    expect([answer.status, answer.messages[0]?.id, answer.messages[0]?.error?.code]).toEqual([503, 'r', -32003]);
    expect(textOf(await client.call('cancelled'))).toBe('[2]');
  });

  it('at its end keeps the answer from the client', async () => {
    const client = await connect();
    server.observer.refuses = (start, phase) => phase === 'end' && start.target?.name === 'pid';
    const answer = await client.call('pid');
    expect([answer.status, answer.messages[0]?.error?.code]).toEqual([503, -32003]);
  });

  it('at its end on a stream ends in an error event', async () => {
    const client = await connect();
    server.observer.refuses = (start, phase) => phase === 'end' && start.target?.name === 'steps';
    const answer = await client.call('steps', { steps: 1, label: 'x' }, { meta: { progressToken: 1 } });
    expect(answer.type).toBe('text/event-stream');
    expect(answer.messages.at(-1)).toMatchObject({ id: 101, error: { code: -32003 } });
  });

  it('keeps a question of the server from the client', async () => {
    const client = await connect();
    server.observer.refuses = (start) => start.kind === 'server_request';
    const answer = await client.call('sample');
    expect(textOf(answer)).toContain('-32003');
    expect(answer.text).not.toContain('sampling/createMessage');
  });

  it('keeps an answer of the client from the server', async () => {
    const client = await connect();
    server.observer.refuses = (start, phase) => start.kind === 'server_request' && phase === 'end';
    const call = client.open('POST', { accept: 'text/event-stream' }, toolCall('sample'));
    const reader = (await call).body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('sampling/createMessage')) text += (await reader?.read())?.value ?? '';
    expect((await client.post({ jsonrpc: '2.0', id: 1, result: { answer: 'UNRECORDED' } })).status).toBe(503);
    while (!text.includes('"id":5')) text += (await reader?.read())?.value ?? '';
    expect(text).toContain('-32003');
    expect(text).not.toContain('UNRECORDED');
  });

  it('opens no session', async () => {
    server = await fixtureServer();
    server.observer.refuses = (start, phase) => start.method === 'initialize' && phase === 'end';
    expect((await new RawClient(server.url).initialize()).status).toBe(503);
    expect(server.bridge.state().sessions).toBe(0);
  });
});

function toolCall(name: string, args: object = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name, arguments: args } });
}

function initialize(): string {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
}
