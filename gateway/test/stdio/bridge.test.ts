/** What passes through the bridge: bytes, ids, progress, questions, batches, and how HTTP is spoken. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fixtureServer, type BridgeServer } from './bridge-server.ts';
import { RawClient, readEvents, textOf } from './raw-client.ts';
import { answerOf } from './recording-observer.ts';

let server: BridgeServer;

async function connect(mode?: string, options?: Parameters<typeof fixtureServer>[1]): Promise<RawClient> {
  server = await fixtureServer(mode, options);
  const client = new RawClient(server.url);
  await client.initialize();
  return client;
}

afterEach(async () => {
  await server.close();
  expect(server.observer.open).toEqual([]);
});

describe('bytes', () => {
  it('pass to the server unchanged but for id, token and trace context', async () => {
    const client = await connect();
    const args = String.raw`{ "z":1, "a":12345678901234567890.10, "e":1E400,
      "s":"\u00e9\/\ud83d\ude00 é" }`;
    const answer = await client.post(
      `{"params" : {"arguments":${args},"name":"raw","_meta":{"progressToken":"tok","x":0.0}},\r\n "method":"tools/call","id":"a\\u0031","jsonrpc":"2.0"}`
    );
    const received = Buffer.from(textOf(answer), 'base64').toString();
    const [record] = server.observer.tool('raw');
    const gatewayId = /"id":(\d+)/.exec(received)?.[1] ?? '';
    expect(received).toBe(
      `{"params" : {"arguments":${args.replace('\n', ' ')},"name":"raw","_meta":{"traceparent":"00-${'a'.repeat(32)}-${'3'.padStart(16, '0')}-01","progressToken":${gatewayId},"x":0.0}},   "method":"tools/call","id":${gatewayId},"jsonrpc":"2.0"}`
    );
    expect(answer.text).toContain(String.raw`"id":"a\u0031"`);
    expect(record?.start.rpcId).toBe(String.raw`"a\u0031"`);
    expect(Buffer.from(record?.start.requestBody ?? []).toString()).toContain(args);
  });

  it('pass without trace context when that is switched off', async () => {
    const client = await connect('normal', { injectMeta: 'never' });
    const params = { name: 'raw', _meta: { traceparent: 'of the client' } };
    const answer = await client.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    const received = JSON.parse(Buffer.from(textOf(answer), 'base64').toString()) as { params: object };
    expect(received.params).toEqual(params);
  });

  it('come back unchanged but for the id, as JSON and as an event', async () => {
    const client = await connect();
    const result = String.raw`{"n":1.000,"big":123456789012345678901234567890,"content":[ ],	"s":"\u20ac","id":1}`;
    const expected = `{"result":${result},"jsonrpc":"2.0","id":"x"}`;
    const plain = await client.call('exact', { result }, { id: 'x' });
    expect([plain.type, plain.text]).toEqual(['application/json', expected]);
    const stream = await client.post(
      { jsonrpc: '2.0', id: 'x', method: 'tools/call', params: { name: 'exact', arguments: { result } } },
      { accept: 'text/event-stream' }
    );
    expect(stream.type).toBe('text/event-stream');
    expect(stream.text).toContain(`data: ${expected}\n\n`);
    expect(server.observer.tool('exact').map(answerOf)).toEqual([expected, expected]);
  });

  it('of 5 MB come through whole, and the record keeps what its cap allows', async () => {
    const client = await connect();
    const answer = await client.call('big', { bytes: 5_000_000 });
    expect(textOf(answer)).toBe('x'.repeat(5_000_000));
    const response = server.observer.tool('big')[0]?.end?.response;
    expect(response?.bytes).toBe(Buffer.byteLength(answer.text));
    expect(answerOf(server.observer.tool('big')[0]).length).toBe(1_000_000);
  });

  it('written one by one by the server arrive as one answer', async () => {
    const client = await connect();
    expect(textOf(await client.call('dribble'))).toBe('é€😀');
  });

  it('with line breaks between tokens stay one event', async () => {
    const client = await connect();
    const answer = await client.post(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'exact', arguments: { result: '{"a":\r1}' } } },
      { accept: 'text/event-stream' }
    );
    expect(answer.messages.at(-1)?.result).toEqual({ a: 1 });
  });
});

describe('ids', () => {
  it('that clients use twice at once get their own answers', async () => {
    const client = await connect();
    const labels = Array.from({ length: 20 }, (_, index) => `call ${index}`);
    const answers = await Promise.all(
      labels.map((label, index) => client.call('slow', { label, ms: 40 - index * 2 }, { id: 1 }))
    );
    expect(answers.map(textOf)).toEqual(labels);
    expect(answers.every((answer) => answer.messages[0]?.id === 1)).toBe(true);
  });

  it('that the server never got or already answered are dropped and counted', async () => {
    const client = await connect();
    const answer = await client.call('other-ids', {}, { id: 'mine' });
    expect(answer.messages).toEqual([
      { jsonrpc: '2.0', id: 'mine', result: { content: [{ type: 'text', text: 'right' }] } },
    ]);
    expect(textOf(await client.call('pid'))).toMatch(/^\d+$/);
    expect(server.bridge.state().unknownResponses).toBe(4);
  });

  it.each([
    ['null', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ['sent twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}'],
    ['of no message at all', '[]'],
  ])('that are %s are refused with 400', async (_what, body) => {
    const client = await connect();
    expect((await client.post(body)).status).toBe(400);
  });
});

describe('progress', () => {
  it('lands on the request it belongs to, whatever tokens the clients chose', async () => {
    const client = await connect();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        client.call(
          'steps',
          { label: `call ${index}`, steps: 4 },
          { meta: { progressToken: index % 2 ? 'same' : 1.0 } }
        )
      )
    );
    for (const [index, answer] of answers.entries()) {
      const label = `call ${index}`;
      const progress = answer.messages.filter((message) => message.method === 'notifications/progress');
      expect(progress.map(({ params }) => params)).toEqual(
        [1, 2, 3, 4].map((step) => ({ progressToken: index % 2 ? 'same' : 1, progress: step, message: label }))
      );
      expect(textOf(answer)).toBe(label);
    }
    const recorded = server.observer.of('notification', 'notifications/progress');
    expect(recorded.length).toBe(200);
    const parents = new Map(server.observer.tool('steps').map((call) => [call.callId, call]));
    for (const { start } of recorded) {
      const { params } = JSON.parse(Buffer.from(start.requestBody).toString()) as { params: { message: string } };
      const parent = parents.get(start.parentCallId ?? '');
      expect(Buffer.from(parent?.start.requestBody ?? []).toString()).toContain(`"label":"${params.message}"`);
    }
  });

  it('of a task goes on after its request was answered, under the token of the client', async () => {
    const client = await connect();
    const stream = await client.open('GET');
    const params = { name: 'task', task: { ttl: 1000 }, _meta: { progressToken: 'task-token' } };
    await client.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    const [event] = await readEvents(stream, (events) => events.length > 0);
    expect(event?.data).toContain('"progressToken":"task-token"');
  });

  it('that nobody asked for is dropped', async () => {
    const client = await connect();
    const answer = await client.call('steps', { label: 'x', steps: 2 });
    expect([answer.type, answer.messages.length]).toEqual(['application/json', 1]);
    expect(server.bridge.state().droppedNotifications).toBe(2);
  });
});

describe('notifications of the server', () => {
  it('go to the stream of a GET', async () => {
    const client = await connect();
    const stream = await client.open('GET');
    const answer = await client.call('log', { label: 'hello' });
    expect(answer.type).toBe('application/json');
    const [event] = await readEvents(stream, (events) => events.length > 0);
    expect(event?.data).toContain('"data":"hello"');
  });

  it('go to an open POST when there is no GET', async () => {
    const client = await connect();
    const answer = await client.call('log', { label: 'hello', waitMs: 20 });
    expect(answer.messages.map((message) => message.method ?? 'response')).toEqual([
      'notifications/message',
      'response',
    ]);
  });

  it('wait for the GET when nothing can carry them', async () => {
    const client = await connect();
    await client.post(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'log', arguments: { label: 'kept' } } },
      { accept: 'application/json' }
    );
    const [event] = await readEvents(await client.open('GET'), (events) => events.length > 0);
    expect(event?.data).toContain('"data":"kept"');
  });

  it('before the answer to initialize come with it', async () => {
    server = await fixtureServer('log-first');
    const answer = await new RawClient(server.url).initialize();
    expect(answer.messages.map((message) => message.method ?? 'response')).toEqual([
      'notifications/message',
      'response',
    ]);
    expect(answer.sessionId).toMatch(/^[\w-]{36}$/);
  });
});

describe('questions of the server', () => {
  const waitForQuestion = async (stream: Response): Promise<{ id: number; params: { label: string } }> => {
    const [event] = await readEvents(stream, (events) => events.some(({ data }) => data !== ''));
    return JSON.parse(event?.data ?? '{}') as { id: number; params: { label: string } };
  };

  it('go to the stream of the only open request and are recorded under it', async () => {
    const client = await connect();
    await client.open('GET');
    const call = await client.open('POST', { accept: 'text/event-stream' }, toolCall(5, 'sample', { label: 'why' }));
    const reader = call.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('sampling/createMessage')) text += (await reader?.read())?.value ?? '';
    const question = JSON.parse(/data: (.*sampling.*)/.exec(text)?.[1] ?? '') as { id: number };
    const reply = String.raw`{"jsonrpc":"2.0","id":${question.id},"result":{"model":"\u006d","n":1.0}}`;
    expect((await client.post(reply)).status).toBe(202);
    while (!text.includes('"id":5')) text += (await reader?.read())?.value ?? '';
    // The server got its own id back, and every other byte of the client's answer.
    expect(text).toContain(JSON.stringify(reply.replace(`"id":${question.id}`, '"id":"q1"')).slice(1, -1));
    const [recorded] = server.observer.of('server_request');
    expect(recorded?.start.method).toBe('sampling/createMessage');
    expect(recorded?.start.parentCallId).toBe(server.observer.tool('sample')[0]?.callId);
    expect(recorded?.end?.outcome).toBe('success');
    expect(answerOf(recorded)).toBe(reply);
  });

  it('go to the GET stream while several requests are open, since nobody can tell whose they are', async () => {
    const client = await connect();
    const stream = await client.open('GET');
    const slow = client.call('slow', { label: 'other', ms: 300 });
    await vi.waitFor(() => expect(server.observer.tool('slow')[0]?.started).toBe(true));
    const asking = client.call('sample', { label: 'mine' });
    const question = await waitForQuestion(stream);
    await client.post({ jsonrpc: '2.0', id: question.id, result: { ok: true } });
    expect(textOf(await asking)).toContain('"ok":true');
    expect(textOf(await slow)).toBe('other');
    expect(server.observer.of('server_request')[0]?.start.parentCallId).toBeUndefined();
  });

  it('reach the server as an error when the client refuses', async () => {
    const client = await connect();
    const stream = await client.open('GET');
    const other = client.call('slow', { ms: 300 });
    await vi.waitFor(() => expect(server.observer.tool('slow')[0]?.started).toBe(true));
    const asking = client.call('sample');
    const question = await waitForQuestion(stream);
    await client.post({ jsonrpc: '2.0', id: question.id, error: { code: -1, message: 'User rejected' } });
    expect(textOf(await asking)).toContain('"code":-1');
    await other;
    expect(server.observer.of('server_request')[0]?.end).toMatchObject({ outcome: 'rpc_error', rpcErrorCode: -1 });
  });

  it('that the server takes back are cancelled at the client under the id it knows', async () => {
    const client = await connect();
    const answer = await client.call('sample-and-cancel');
    const [question, cancellation] = answer.messages.filter((message) => message.method !== undefined);
    expect(cancellation).toMatchObject({ method: 'notifications/cancelled', params: { requestId: question?.id } });
    expect(server.observer.of('server_request')[0]?.end?.outcome).toBe('cancelled');
  });

  it('that nobody answers in time fail at the server', async () => {
    const client = await connect('normal', { limits: { serverRequestTimeoutMs: 50 } });
    expect(textOf(await client.call('sample'))).toContain('did not answer in time');
    expect(server.observer.of('server_request')[0]?.end?.outcome).toBe('timeout');
  });

  it('that nobody asked are dropped', async () => {
    const client = await connect();
    expect((await client.post({ jsonrpc: '2.0', id: 99, result: {} })).status).toBe(202);
    expect(server.bridge.state().unknownAnswers).toBe(1);
  });
});

describe('batches of revision 2025-03-26', () => {
  it('get one array of answers', async () => {
    const client = await connect();
    const body = `[${toolCall(1, 'slow', { label: 'a', ms: 30 })},{"jsonrpc":"2.0","method":"notifications/x"},${toolCall('two', 'slow', { label: 'b', ms: 1 })}]`;
    const answer = await client.post(body);
    expect(answer.type).toBe('application/json');
    expect(answer.messages.map((message) => [message.id, message.result?.content?.[0]?.text])).toEqual([
      ['two', 'b'],
      [1, 'a'],
    ]);
  });

  it('get an event each when there is more to say', async () => {
    const client = await connect();
    const answer = await client.post(
      `[${toolCall(1, 'slow', { label: 'a', ms: 1 })},${toolCall(2, 'log', { label: 'b', waitMs: 40 })}]`
    );
    expect(answer.type).toBe('text/event-stream');
    expect(answer.messages.map((message) => message.id ?? message.method).toSorted()).toEqual([
      1,
      2,
      'notifications/message',
    ]);
  });

  it('of the server are taken apart', async () => {
    const client = await connect();
    const answer = await client.call('batch', {}, { id: 'b' });
    expect(answer.messages.map((message) => message.id ?? message.method)).toEqual(['notifications/message', 'b']);
  });

  it('with only notifications get 202', async () => {
    const client = await connect();
    const answer = await client.post(
      '[{"jsonrpc":"2.0","method":"notifications/a"},{"jsonrpc":"2.0","method":"notifications/b"}]'
    );
    expect([answer.status, answer.text]).toEqual([202, '']);
  });
});

describe('outcomes', () => {
  it.each([
    ['pid', { outcome: 'success' }],
    ['tool-error', { outcome: 'tool_error', errorType: 'tool_error' }],
    ['rpc-error', { outcome: 'rpc_error', errorType: '-32602', rpcErrorCode: -32602 }],
  ])('of %s', async (tool, expected) => {
    const client = await connect();
    expect((await client.call(tool)).status).toBe(200);
    expect(server.observer.tool(tool)[0]?.end).toMatchObject({
      ...expected,
      session: { id: client.sessionId, kind: 'mcp' },
      protocolVersion: '2025-11-25',
    });
  });

  it('name what a list answer taught', async () => {
    const client = await connect();
    await client.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(server.observer.of('request', 'tools/list')[0]?.end?.listed).toEqual({ type: 'tool', names: ['raw'] });
  });
});

function toolCall(id: number | string, name: string, args: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });
}
