/** What a client or an upstream server could try so that an answer reaches the client and the record does not say so. */
import type { ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { until } from '../e2e/until.ts';
import { capturedText, gate } from './recording-observer.ts';
import { call, closeAll, json, post, result, send, startGateway, startUpstream } from './running-gateway.ts';

afterEach(closeAll);

const event = (message: object | string): string =>
  `event: message\ndata: ${typeof message === 'string' ? message : JSON.stringify(message)}\n\n`;
const said = (text: string): object => ({ content: [{ type: 'text', text }] });
const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
const session = { 'mcp-session-id': 's1' };

function openStream(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.flushHeaders();
}

describe('an answer that comes after its call was given up', () => {
  it.each(['stream', 'json'])('is recorded with what it says (%s)', async (form) => {
    const late = gate();
    const upstream = await startUpstream(async (seen, res) => {
      if (seen.body.toString().includes('cancelled')) return void res.writeHead(202).end();
      if (form === 'stream') openStream(res);
      await late.promise;
      const answer = result(1, said('the late secret'));
      if (form === 'stream') res.end(event(answer));
      else json(res, answer);
    });
    const gateway = await startGateway(upstream.url, { relay: { cancelGraceMs: 20 } });
    const { observer } = gateway;
    const sent = send(gateway.url(), { body: JSON.stringify(call(1)), headers: session });
    while (upstream.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await post(gateway.url(), cancelled, session);
    expect((await observer.ended('tools/call')).end).toMatchObject({ outcome: 'cancelled' });
    late.open();
    expect((await sent.answer).body.toString()).toContain('the late secret');
    const asRequests = observer.calls.map((one) => Buffer.from(one.start.requestBody).toString());
    const found = observer.calls.filter(
      (one, index) => one.kept && `${asRequests[index]}${capturedText(one)}`.includes('the late secret')
    );
    expect(found).toHaveLength(1);
    expect(found[0]?.start).toMatchObject({ parentCallId: observer.only('tools/call').callId });
  });

  it('is recorded when it is a second answer to the same call', async () => {
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      res.end(event(result(1, said('first'))) + event(result(1, said('second'))));
    });
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), call(1), session);
    expect(got.body.toString()).toContain('second');
    const { calls } = gateway.observer;
    expect(calls.every((one) => one.kept)).toBe(true);
    expect(calls.some((one) => Buffer.from(one.start.requestBody).toString().includes('second'))).toBe(true);
  });

  it('ends no call of another session, whose id it has', async () => {
    let release: () => void = () => undefined;
    const upstream = await startUpstream((seen, res) => {
      if (seen.headers['mcp-session-id'] === 'victim') release = () => json(res, result(7, said('own')));
      else json(res, [result(7, said('forged')), result(1, said('mine'))]);
    });
    const gateway = await startGateway(upstream.url);
    const waiting = post(gateway.url(), call(7), { 'mcp-session-id': 'victim' });
    await until(() => upstream.seen.length === 1, 'the call at its server');
    await post(gateway.url(), call(1), { 'mcp-session-id': 'other' });
    const of = (id: string) => gateway.observer.calls.filter(({ start }) => start.session?.id === id);
    expect(of('victim').map(({ end }) => end)).toEqual([undefined]);
    release();
    expect((await waiting).body.toString()).toContain('own');
    expect(capturedText(of('victim')[0]!)).toContain('own');
  });

  it('that is no UTF-8 passes as it came, and is recorded as it came', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"text":"'),
      Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
      Buffer.from('"}}'),
    ]);
    const upstream = await startUpstream((_seen, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
    });
    const gateway = await startGateway(upstream.url);
    expect((await post(gateway.url(), call(1))).body).toEqual(bytes);
    const { end } = gateway.observer.only('tools/call');
    expect(end?.outcome).toBe('success');
    expect(Buffer.concat(end?.response?.chunks ?? [])).toEqual(bytes);
  });

  it('is recorded when a batch of answers has more than the calls', async () => {
    const upstream = await startUpstream((_seen, res) => {
      json(res, [result(1, said('first')), result(7, said('smuggled'))]);
    });
    const gateway = await startGateway(upstream.url);
    await post(gateway.url(), [call(1)], session);
    const { calls } = gateway.observer;
    expect(calls.some((one) => Buffer.from(one.start.requestBody).toString().includes('smuggled'))).toBe(true);
  });
});

describe('an outcome', () => {
  it.each([
    ['500 with a result', 500],
    ['403 with a result', 403],
  ])('is no success when the client gets %s', async (_label, status) => {
    const upstream = await startUpstream((_seen, res) => json(res, result(1), status));
    const gateway = await startGateway(upstream.url);
    expect((await post(gateway.url(), call(1))).status).toBe(status);
    expect(gateway.observer.only('tools/call').end).toMatchObject({
      outcome: 'upstream_unreachable',
      errorType: `http_${status}`,
    });
  });

  it('of two calls cannot be mixed up: one id twice in a body is refused', async () => {
    const upstream = await startUpstream((_seen, res) => json(res, [result(1), result(1)]));
    const gateway = await startGateway(upstream.url);
    for (const ids of [
      ['1', '1'],
      ['"a1"', '"a\\u0031"'],
      ['1', '1.0'],
    ]) {
      const body = ids.map((id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`).join(',');
      expect((await post(gateway.url(), `[${body}]`)).status, ids.join(' ')).toBe(400);
    }
    expect(upstream.seen).toHaveLength(0);
    expect(gateway.observer.calls.every((one) => one.start.kind === 'attempt')).toBe(true);
  });

  it.each([
    ['numbers that only lenient parsers take', '{"x":[NaN,Infinity,-Infinity]}'],
    ['very deep', `{"x":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('is known before the client sees an answer with %s', async (_label, value) => {
    for (const form of ['json', 'stream']) {
      const text = `{"jsonrpc":"2.0","id":1,"result":${value}}`;
      const upstream = await startUpstream((_seen, res) => {
        if (form === 'json') {
          json(res, text);
        } else {
          openStream(res);
          res.end(event(text));
        }
      });
      const gateway = await startGateway(upstream.url);
      let keptAtAnswer: boolean | undefined;
      const onChunk = (_chunk: string, all: string): void => {
        if (all.includes(text)) keptAtAnswer ??= gateway.observer.only('tools/call').kept;
      };
      await send(gateway.url(), { body: JSON.stringify(call(1)), onChunk }).answer;
      expect(keptAtAnswer, form).toBe(true);
      expect(gateway.observer.only('tools/call').end, form).toMatchObject({ outcome: 'success' });
    }
  });
});

it('a charset that says two things is refused', async () => {
  const upstream = await startUpstream((_seen, res) => json(res, result(1)));
  const gateway = await startGateway(upstream.url);
  for (const type of [
    'application/json; charset=utf-8; charset=utf-7',
    'application/json; x="; charset=utf-8"; charset=utf-16',
  ]) {
    expect((await post(gateway.url(), call(1), { 'content-type': type })).status).toBe(415);
  }
  expect(upstream.seen).toHaveLength(0);
});

it('a request that is answered beside the framework makes it say nothing of its own', async () => {
  // as the audit API of the same process does: it puts the framework's Response in the place of Node's
  getRequestListener(() => new Response(null));
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const upstream = await startUpstream((_seen, res) => json(res, result(1)));
  const gateway = await startGateway(upstream.url);
  for (const method of ['HEAD', 'PUT', 'OPTIONS', 'GET', 'DELETE']) await send(gateway.url(), { method }).answer;
  expect((await send(new URL('/healthz', gateway.url()), { method: 'HEAD' }).answer).status).toBe(200);
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
});
