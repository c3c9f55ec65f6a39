import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { capturedText, gate, lost } from './recording-observer.ts';
import type { RecordingObserver } from './recording-observer.ts';
import { call, closeAll, post, result, send, startGateway, startUpstream } from './running-gateway.ts';

afterEach(closeAll);

const event = (message: object, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${JSON.stringify(message)}\n\n`;
const progress = (step: number): object => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: 1, progress: step },
});
const ask = (id: number): object => ({
  jsonrpc: '2.0',
  id,
  method: 'elicitation/create',
  params: { message: 'Sure?' },
});

function openStream(res: ServerResponse, headers: Record<string, string> = {}): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
  res.flushHeaders();
}

/** A promise for the moment when the text received so far satisfies a test. */
function watcher(): {
  onChunk: (chunk: string, all: string) => void;
  until: (test: (all: string) => boolean) => Promise<void>;
  all: () => string;
} {
  let all = '';
  let wake: () => void = () => undefined;
  return {
    onChunk: (_chunk, text) => {
      all = text;
      wake();
    },
    until: async (test) => {
      while (!test(all)) await new Promise<void>((resolve) => (wake = resolve));
    },
    all: () => all,
  };
}

const ended = (observer: RecordingObserver, method: string): Promise<unknown> =>
  observer.until(() => observer.of(method).some((one) => one.end !== undefined));

describe('an answer streamed as events', () => {
  it('arrives event by event, each before the next was sent, and in the same bytes', async () => {
    const watch = watcher();
    let whole = '';
    const upstream = await startUpstream(async (_seen, res) => {
      openStream(res);
      for (let step = 1; step <= 3; step++) {
        const text = event(progress(step));
        // cut in the middle of the event: the first half must arrive on its own
        const half = Math.floor(text.length / 2);
        whole += text;
        res.write(text.slice(0, half));
        await watch.until((all) => all.length === whole.length - text.length + half);
        res.write(text.slice(half));
        await watch.until((all) => all === whole);
      }
      const last = event(result(1));
      whole += last;
      res.end(last);
    });
    const gateway = await startGateway(upstream.url);
    const got = await send(gateway.url(), { body: JSON.stringify(call(1)), onChunk: watch.onChunk }).answer;
    expect(got.body.toString()).toBe(whole);
    expect(got.headers['content-type']).toBe('text/event-stream');
    const main = gateway.observer.only('tools/call');
    expect(main.end).toMatchObject({
      outcome: 'success',
      response: { format: 'sse', bytes: Buffer.byteLength(whole) },
    });
    expect(capturedText(main)).toBe(whole);
    const steps = gateway.observer.of('notifications/progress');
    expect(steps.map((one) => [one.start.kind, one.start.parentCallId, one.end?.outcome])).toEqual(
      Array(3).fill(['notification', main.callId, 'success'])
    );
    expect(Buffer.from(steps[1]?.start.requestBody ?? []).toString()).toBe(JSON.stringify(progress(2)));
    // not the client's headers: they belong to the call
    expect(steps[0]?.start.requestHeaders).toEqual([]);
  });

  it.each(['\n', '\r\n', '\r'])(
    'withholds the end of the response event until its record is kept (line end %j)',
    async (eol) => {
      const watch = watcher();
      const disk = gate();
      const upstream = await startUpstream((_seen, res) => {
        openStream(res);
        res.write(event(progress(1)).replaceAll('\n', eol));
        res.write(`data: ${JSON.stringify(result(1))}${eol}`);
        setTimeout(() => {
          res.write(eol);
          res.end(event(progress(2)).replaceAll('\n', eol));
        }, 20);
      });
      const gateway = await startGateway(upstream.url);
      gateway.observer.endGate = (one) => (one.start.method === 'tools/call' ? disk.promise : Promise.resolve());
      const sent = send(gateway.url(), { body: JSON.stringify(call(1)), onChunk: watch.onChunk });
      await ended(gateway.observer, 'tools/call');
      await new Promise((resolve) => setTimeout(resolve, 40));
      const complete = event(progress(1)).replaceAll('\n', eol) + `data: ${JSON.stringify(result(1))}${eol}`;
      expect(watch.all()).toBe(complete);
      disk.open();
      expect((await sent.answer).body.toString()).toBe(complete + eol + event(progress(2)).replaceAll('\n', eol));
    }
  );

  it('holds an event that comes in one piece whole, and what follows it', async () => {
    const watch = watcher();
    const disk = gate();
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      res.end(event(progress(1)) + event(result(1)) + event(progress(2)));
    });
    const gateway = await startGateway(upstream.url);
    gateway.observer.endGate = (one) => (one.start.method === 'tools/call' ? disk.promise : Promise.resolve());
    const sent = send(gateway.url(), { body: JSON.stringify(call(1)), onChunk: watch.onChunk });
    await ended(gateway.observer, 'tools/call');
    await watch.until((all) => all !== '');
    expect(watch.all()).toBe(event(progress(1)));
    disk.open();
    expect((await sent.answer).body.toString()).toBe(event(progress(1)) + event(result(1)) + event(progress(2)));
    expect(gateway.observer.of('notifications/progress')).toHaveLength(2);
  });

  it('keeps the response when what came before it filled the capture', async () => {
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      for (let step = 0; step < 50; step++) res.write(event(progress(step)));
      res.end(event(result(1, { marker: 'the answer' })));
    });
    const gateway = await startGateway(upstream.url);
    gateway.observer.captureBytes = 500;
    await post(gateway.url(), call(1));
    const main = gateway.observer.only('tools/call');
    expect(main.end?.response?.format).toBe('json');
    expect(capturedText(main)).toBe(JSON.stringify(result(1, { marker: 'the answer' })));
  });

  it('keeps no byte when capture is off, but counts them', async () => {
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      res.end(event(result(1)));
    });
    const gateway = await startGateway(upstream.url);
    gateway.observer.captureBytes = 0;
    await post(gateway.url(), call(1));
    expect(gateway.observer.only('tools/call').end?.response).toMatchObject({
      chunks: [],
      bytes: JSON.stringify(result(1)).length,
    });
  });

  it('breaks off, with nothing of the response seen, when the record is lost', async () => {
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      res.end(event(progress(1)) + event(result(1, { secret: true })));
    });
    const gateway = await startGateway(upstream.url);
    gateway.observer.endGate = (one) => (one.start.method === 'tools/call' ? lost() : Promise.resolve());
    const got = await post(gateway.url(), call(1));
    expect(got.broken).toBe(true);
    expect(got.body.toString()).not.toContain('secret');
  });

  it('is read no faster than its notifications can be recorded', async () => {
    const disk = gate();
    const text = 'x'.repeat(20_000);
    const notification = event({ jsonrpc: '2.0', method: 'notifications/message', params: { data: text } });
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      for (let n = 0; n < 200; n++) res.write(notification);
      res.end(event(result(1)));
    });
    const gateway = await startGateway(upstream.url);
    gateway.observer.endGate = () => disk.promise;
    const notified = (): number => gateway.observer.of('notifications/message').length;
    const answer = post(gateway.url(), call(1));
    await gateway.observer.until(() => notified() >= 13);
    await new Promise((resolve) => setTimeout(resolve, 200));
    // 256 KiB wait for the disk; the rest waits upstream
    expect(notified()).toBeLessThan(16);
    disk.open();
    expect((await answer).body.toString()).toBe(notification.repeat(200) + event(result(1)));
    expect(notified()).toBe(200);
  });
});

describe('requests of the server', () => {
  it('end when the client answers them in another POST, and the answer is recorded before the 202', async () => {
    const answered = gate();
    const upstream = await startUpstream(async (seen, res) => {
      if (seen.body.toString().includes('"result"')) {
        answered.open();
        res.writeHead(202).end();
        return;
      }
      openStream(res);
      res.write(event(ask(0)));
      await answered.promise;
      res.end(event(result(1)));
    });
    const gateway = await startGateway(upstream.url);
    const session = { 'mcp-session-id': 's1' };
    const watch = watcher();
    const sent = send(gateway.url(), { body: JSON.stringify(call(1)), headers: session, onChunk: watch.onChunk });
    await watch.until((all) => all.includes('elicitation'));
    const question = gateway.observer.only('elicitation/create');
    expect(question).toMatchObject({
      start: { kind: 'server_request', rpcId: '0', parentCallId: gateway.observer.only('tools/call').callId },
    });
    expect(question.end).toBeUndefined();
    const reply = { jsonrpc: '2.0', id: 0, result: { action: 'accept' } };
    expect((await post(gateway.url(), reply, session)).status).toBe(202);
    expect(question).toMatchObject({ kept: true, end: { outcome: 'success' } });
    expect(capturedText(question)).toBe(JSON.stringify(reply));
    expect((await sent.answer).body.toString()).toBe(event(ask(0)) + event(result(1)));
    // the question, the call, and nothing else
    expect(gateway.observer.calls).toHaveLength(2);
  });

  it('are not mixed up between sessions, and an answer that nobody asked for is recorded too', async () => {
    const upstream = await startUpstream((seen, res) => {
      if (seen.method === 'GET') {
        openStream(res);
        res.write(event(ask(7)));
        return;
      }
      res.writeHead(202).end();
    });
    const gateway = await startGateway(upstream.url);
    const watch = watcher();
    send(gateway.url(), { method: 'GET', headers: { 'mcp-session-id': 's1' }, onChunk: watch.onChunk });
    await watch.until((all) => all.endsWith('\n\n'));
    await post(gateway.url(), result(7), { 'mcp-session-id': 's2' });
    expect(gateway.observer.only('elicitation/create').end).toBeUndefined();
    expect(gateway.observer.only('')).toMatchObject({ start: { kind: 'notification', rpcId: '7' }, kept: true });
    await post(
      gateway.url(),
      { jsonrpc: '2.0', id: 7, error: { code: -1, message: 'no' } },
      { 'mcp-session-id': 's1' }
    );
    expect(gateway.observer.only('elicitation/create').end).toMatchObject({ outcome: 'rpc_error', rpcErrorCode: -1 });
  });
});

describe('the GET stream', () => {
  it('is recorded from its start to its end, with the messages on it', async () => {
    const end = gate();
    const upstream = await startUpstream(async (seen, res) => {
      expect(seen.method).toBe('GET');
      openStream(res);
      res.write(`: hi\n\n${event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })}`);
      await end.promise;
      res.end();
    });
    const gateway = await startGateway(upstream.url);
    const watch = watcher();
    const sent = send(gateway.url(), { method: 'GET', headers: { 'mcp-session-id': 's1' }, onChunk: watch.onChunk });
    await watch.until((all) => all.endsWith('\n\n') && all.includes('list_changed'));
    const stream = gateway.observer.only('stream');
    expect(stream.start.kind).toBe('stream');
    expect(stream.end).toBeUndefined();
    expect(gateway.observer.only('notifications/tools/list_changed').start.parentCallId).toBe(stream.callId);
    end.open();
    await sent.answer;
    expect(stream.end).toMatchObject({ outcome: 'success', httpStatus: 200 });
  });

  it('refused by the server is passed on and recorded as such', async () => {
    const upstream = await startUpstream((_seen, res) => {
      res
        .writeHead(405, { allow: 'POST' })
        .end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message: 'Method not allowed.' }, id: null }));
    });
    const gateway = await startGateway(upstream.url);
    const got = await send(gateway.url(), { method: 'GET' }).answer;
    expect([got.status, got.headers.allow]).toEqual([405, 'POST']);
    expect(gateway.observer.only('stream').end).toMatchObject({ outcome: 'rpc_error', httpStatus: 405 });
  });

  it('brings the answer to a call whose own stream the server closed', async () => {
    const disk = gate();
    const upstream = await startUpstream((seen, res) => {
      openStream(res);
      if (seen.method === 'POST') res.end('id: 1\ndata:\n\n');
      else res.end(event(result(1), '2'));
    });
    const gateway = await startGateway(upstream.url);
    const session = { 'mcp-session-id': 's1' };
    await post(gateway.url(), call(1), session);
    const main = gateway.observer.only('tools/call');
    expect(main.end).toBeUndefined();
    gateway.observer.endGate = (one) => (one === main ? disk.promise : Promise.resolve());
    const watch = watcher();
    const sent = send(gateway.url(), {
      method: 'GET',
      headers: { ...session, 'last-event-id': '1' },
      onChunk: watch.onChunk,
    });
    await ended(gateway.observer, 'tools/call');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(watch.all()).toBe('');
    disk.open();
    await sent.answer;
    expect(main.end).toMatchObject({ outcome: 'success' });
    expect(upstream.seen[1]?.headers['last-event-id']).toBe('1');
  });

  it('ends unanswered calls of the session with DELETE', async () => {
    const upstream = await startUpstream((seen, res) => {
      if (seen.method === 'DELETE') {
        res.writeHead(200).end();
        return;
      }
      openStream(res);
      res.end('id: 1\ndata:\n\n');
    });
    const gateway = await startGateway(upstream.url);
    const session = { 'mcp-session-id': 's1' };
    await post(gateway.url(), call(1), session);
    const got = await send(gateway.url(), { method: 'DELETE', headers: session }).answer;
    expect(got.status).toBe(200);
    expect(gateway.observer.only('tools/call').end).toMatchObject({ outcome: 'cancelled' });
    expect(gateway.observer.calls).toHaveLength(1);
  });
});

describe('a client that leaves', () => {
  it.each(['before the head', 'while it streams'])(
    '%s aborts the upstream request; the call is cancelled',
    async (when) => {
      const aborted = gate();
      const upstream = await startUpstream((_seen, res) => {
        res.on('close', () => aborted.open());
        if (when === 'while it streams') {
          openStream(res);
          res.write(event(progress(1)));
        }
      });
      const gateway = await startGateway(upstream.url);
      const watch = watcher();
      const sent = send(gateway.url(), { body: JSON.stringify(call(1)), onChunk: watch.onChunk });
      if (when === 'while it streams') await watch.until((all) => all !== '');
      else while (upstream.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      sent.abort();
      await aborted.promise;
      expect((await gateway.observer.ended('tools/call')).end).toMatchObject({
        outcome: 'cancelled',
        errorType: 'client_gone',
      });
    }
  );

  it('closes a GET stream, which ends its record', async () => {
    const aborted = gate();
    const upstream = await startUpstream((_seen, res) => {
      res.on('close', () => aborted.open());
      openStream(res);
      res.write(': hi\n\n');
    });
    const gateway = await startGateway(upstream.url);
    const watch = watcher();
    const sent = send(gateway.url(), { method: 'GET', onChunk: watch.onChunk });
    await watch.until((all) => all !== '');
    sent.abort();
    await aborted.promise;
    expect((await gateway.observer.ended('stream')).end).toMatchObject({ outcome: 'cancelled' });
  });

  it('does not take back a notification', async () => {
    let release: () => void = () => undefined;
    const upstream = await startUpstream((_seen, res) => {
      release = () => void res.writeHead(202).end();
    });
    const gateway = await startGateway(upstream.url);
    const sent = send(gateway.url(), { body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }) });
    while (upstream.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    sent.abort();
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    expect((await gateway.observer.ended('notifications/initialized')).end).toMatchObject({ outcome: 'success' });
  });

  it('may cancel by notification: no answer within the grace is cancelled, an answer in time is what it is', async () => {
    const answers: (() => void)[] = [];
    let cancelled = 0;
    const upstream = await startUpstream((seen, res) => {
      const body = seen.body.toString();
      if (body.includes('cancelled')) {
        res.writeHead(202).end();
        cancelled += 1;
        // what answers at all does so within the grace of the last
        if (cancelled === 4) for (const give of answers) give();
        return;
      }
      openStream(res);
      if (body.includes('"id":2')) answers.push(() => res.end(event(result(2))));
      if (body.includes('"id":3')) {
        const error = { code: 0, message: 'Request cancelled' };
        answers.push(() => res.end(event({ jsonrpc: '2.0', id: 3, error })));
      }
      if (body.includes('"id":4')) answers.push(() => res.end());
    });
    const gateway = await startGateway(upstream.url, { relay: { cancelGraceMs: 1000 } });
    const session = { 'mcp-session-id': 's1' };
    for (const id of [1, 2, 3, 4]) send(gateway.url(), { body: JSON.stringify(call(id)), headers: session });
    while (upstream.seen.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const id of [1, 2, 3, 4])
      await post(
        gateway.url(),
        { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } },
        session
      );
    await gateway.observer.until(() => gateway.observer.of('tools/call').every((one) => one.kept));
    const ends = gateway.observer.of('tools/call').map((one) => [one.start.rpcId, one.end]);
    expect(Object.fromEntries(ends)).toMatchObject({
      1: { outcome: 'cancelled' },
      2: { outcome: 'success' },
      3: { outcome: 'cancelled', errorType: '0' },
      4: { outcome: 'cancelled' },
    });
    // the server that stops without an answer did what it was asked
    expect(gateway.observer.of('tools/call').find((one) => one.start.rpcId === '4')?.end?.errorType).toBeUndefined();
  });
});
