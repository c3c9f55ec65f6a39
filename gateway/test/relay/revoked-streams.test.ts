/** Streams that are open when their caller loses the right to them: ended, with a record that says why. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Authentication } from '../../src/access/authenticator.ts';
import { OpenStreams } from '../../src/http/open-streams.ts';
import { gate } from './recording-observer.ts';
import { ANA, call, closeAll, json, post, result, send, startGateway, startUpstream } from './running-gateway.ts';

afterEach(closeAll);

const REFUSED: Authentication = {
  ok: false,
  reason: 'no_credentials',
  code: 'unauthenticated',
  wwwAuthenticate: 'Bearer',
};
const listen = {
  jsonrpc: '2.0',
  id: 'l1',
  method: 'subscriptions/listen',
  params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
};

async function start() {
  const streams = new OpenStreams();
  const now: { refused: Set<string>; denied: Set<string>; userKey?: string } = {
    refused: new Set(),
    denied: new Set(),
  };
  const left: string[] = [];
  const upstream = await startUpstream((seen, res) => {
    if (seen.body.includes('tools/call')) {
      json(res, result(1));
      return;
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(': open\n\n');
    res.on('close', () => left.push(seen.method));
  });
  const gateway = await startGateway(upstream.url, {
    deps: { streams },
    authenticate: ({ authorization }) =>
      now.refused.has(String(authorization))
        ? REFUSED
        : { ok: true, caller: { ...ANA, userKey: now.userKey ?? 'ana' } },
    decide: ({ method }) => ({ allow: !now.denied.has(method), rule: 'r1', reason: 'rule' }),
  });
  /** @returns the answer, once the stream is there */
  const open = async (key: string, message?: object) => {
    let begun: () => void = () => undefined;
    const there = new Promise<void>((resolve) => (begun = resolve));
    const sent = send(gateway.url(), {
      method: message === undefined ? 'GET' : 'POST',
      headers: { authorization: key },
      ...(message === undefined ? {} : { body: JSON.stringify(message) }),
      onChunk: () => begun(),
    });
    await there;
    return sent;
  };
  return { streams, now, gateway, open, left };
}

describe('an open stream', () => {
  it.each([
    ['GET', undefined, 'stream'],
    ['listen', listen, 'subscriptions/listen'],
  ])('(%s) ends when its key is revoked; those of other keys go on', async (_label, message, operation) => {
    const { streams, now, gateway, open, left } = await start();
    const [revoked, other] = [await open('revoked', message), await open('other', message)];
    expect(await streams.recheck()).toBe(0);
    now.refused.add('revoked');
    expect(await streams.recheck()).toBe(1);
    expect((await revoked.answer).broken).toBe(true);
    const record = await gateway.observer.ended(operation);
    expect(record.end).toMatchObject({ outcome: 'denied', errorType: 'unauthenticated', deniedBy: 'authentication' });
    expect(gateway.observer.of(operation).filter((one) => one.end !== undefined)).toHaveLength(1);
    await vi.waitFor(() => expect(left).toHaveLength(1));
    // asked again, it is refused at the door
    expect((await post(gateway.url(), call(1), { authorization: 'revoked' })).status).toBe(401);
    other.abort();
    await gateway.observer.until(() => gateway.observer.of(operation).every((one) => one.end !== undefined));
    expect(gateway.observer.of(operation)[1]?.end).toMatchObject({ outcome: 'cancelled', errorType: 'client_gone' });
    // nothing is left to judge
    now.refused.add('other');
    expect(await streams.recheck()).toBe(0);
  });

  it.each([
    ['GET', undefined, 'stream'],
    ['listen', listen, 'subscriptions/listen'],
  ])('(%s) has its record written at once when something came for its client', async (_label, message, operation) => {
    const { gateway, open } = await start();
    const disk = gate();
    gateway.observer.intentGate = () => disk.promise;
    const opening = open('a', message);
    await gateway.observer.until(() => gateway.observer.of(operation).some((one) => one.hurried));
    disk.open();
    (await opening).abort();
  });

  it('ends when policy denies it now, with the rule', async () => {
    const { streams, now, gateway, open } = await start();
    const [get, listening] = [await open('a'), await open('a', listen)];
    now.denied.add('stream');
    expect(await streams.recheck()).toBe(1);
    await get.answer;
    expect((await gateway.observer.ended('stream')).end).toMatchObject({
      outcome: 'denied',
      errorType: 'policy_denied',
      deniedBy: 'policy',
      policyRule: 'r1',
    });
    now.denied.add('subscriptions/listen');
    expect(await streams.recheck()).toBe(1);
    await listening.answer;
  });

  it('ends when its key is somebody else’s now', async () => {
    const { streams, now, open } = await start();
    const { answer } = await open('a');
    now.userKey = 'bob';
    expect(await streams.recheck()).toBe(1);
    expect((await answer).broken).toBe(true);
  });

  it('is judged by what holds at the end, however often something changes meanwhile', async () => {
    const { streams, now, open } = await start();
    const { answer } = await open('a');
    const first = streams.recheck();
    now.refused.add('a');
    const second = streams.recheck();
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    await answer;
  });
});
