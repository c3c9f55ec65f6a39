/** Memory for request bodies, over all callers; and a gateway that is ending. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../e2e/until.ts';
import { ANA, call, closeAll, json, post, result, startGateway, startUpstream } from './running-gateway.ts';
import type { RunningGateway } from './running-gateway.ts';

afterEach(closeAll);

/** A request of `caller` whose body of 10,000 bytes stops after `sent` of them. */
async function holdBody(gateway: RunningGateway, caller: string, sent: number): Promise<Socket> {
  const head = [
    'POST /mcp/up HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'Content-Length: 10000',
    `X-Caller: ${caller}`,
  ].join('\r\n');
  const socket = connect(gateway.port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.write(`${head}\r\n\r\n"${'x'.repeat(sent - 1)}`, () => resolve()));
  return socket;
}

const start = async (bufferedBodyBytes: number, held: () => Promise<void> = () => Promise.resolve()) => {
  const upstream = await startUpstream(async (seen, res) => {
    await held();
    json(res, result((JSON.parse(seen.body.toString()) as { id: unknown }).id));
  });
  let asked = 0;
  const gateway = await startGateway(upstream.url, {
    deps: { bodyBytes: 10_000, bufferedBodyBytes },
    authenticate: (headers) => {
      asked += 1;
      return { ok: true, caller: { ...ANA, userKey: String(headers['x-caller'] ?? 'ana') } };
    },
  });
  /** so many requests have come; what was written with a head is read in the same turn */
  const arrived = async (requests: number): Promise<void> => {
    await until(
      () => asked >= requests,
      () => `${requests} requests; there are ${asked}`
    );
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { gateway, upstream, arrived };
};

describe('memory for request bodies', () => {
  it('is limited over all callers: beyond it 503, recorded; once given back calls pass again', async () => {
    const { gateway, upstream, arrived } = await start(20_000);
    const holding = await Promise.all([holdBody(gateway, 'bob', 9_990), holdBody(gateway, 'eve', 9_990)]);
    await arrived(2);
    const refused = await post(gateway.url(), call(1));
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(refused.body.toString()).toMatch(/limits\.bufferedBodyBytes/);
    expect(gateway.observer.calls.at(-1)).toMatchObject({
      kept: true,
      start: { kind: 'attempt', caller: { userKey: 'ana' } },
      end: { outcome: 'denied', errorType: 'overloaded', deniedBy: 'size_limit', httpStatus: 503 },
    });
    expect(upstream.seen).toHaveLength(0);
    for (const socket of holding) socket.destroy();
    await gateway.observer.until(() => gateway.observer.calls.filter((one) => one.kept).length === 3);
    expect((await post(gateway.url(), call(2))).status).toBe(200);
  });

  it('is not for one caller alone', async () => {
    const { gateway, arrived } = await start(40_000);
    const holding = await Promise.all([1, 2].map(() => holdBody(gateway, 'bob', 9_990)));
    await arrived(2);
    expect((await post(gateway.url(), call(1), { 'x-caller': 'bob' })).status).toBe(503);
    expect((await post(gateway.url(), call(2), { 'x-caller': 'eve' })).status).toBe(200);
    for (const socket of holding) socket.destroy();
  });

  it('counts a body until its call is over, and what was announced not at all', async () => {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const { gateway, upstream, arrived } = await start(10_000, () => opened);
    // ten thousand announced, nothing sent
    const silent = await holdBody(gateway, 'bob', 1);
    await arrived(1);
    const slow = post(gateway.url(), call(1, 'x'.repeat(9_000)));
    await until(() => upstream.seen.length === 1, 'the call at its server');
    expect((await post(gateway.url(), call(2, 'x'.repeat(2_000)))).status).toBe(503);
    open();
    expect((await slow).status).toBe(200);
    expect((await post(gateway.url(), call(3, 'x'.repeat(2_000)))).status).toBe(200);
    silent.destroy();
  });
});

describe('a gateway that is ending', () => {
  it('takes no new call, on any connection, and says so to who asks whether it is ready', async () => {
    let closing = false;
    const upstream = await startUpstream((_seen, res) => json(res, result(1)));
    const gateway = await startGateway(upstream.url, { deps: { closing: () => closing } });
    expect((await fetch(`http://127.0.0.1:${gateway.port}/readyz`)).status).toBe(200);
    closing = true;
    expect((await fetch(`http://127.0.0.1:${gateway.port}/readyz`)).status).toBe(503);
    expect((await fetch(`http://127.0.0.1:${gateway.port}/healthz`)).status).toBe(200);
    const refused = await post(gateway.url(), call(1));
    expect(refused).toMatchObject({ status: 503, headers: { connection: 'close', 'retry-after': '5' } });
    expect(gateway.observer.calls).toMatchObject([
      { kept: true, end: { errorType: 'shutting_down', httpStatus: 503 } },
    ]);
    expect(upstream.seen).toHaveLength(0);
  });
});
