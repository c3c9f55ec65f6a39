import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { collectingLogger, metadata, payload, reopen, temporaryDirectory, textsIn } from './fixture.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: Received[];
}

/** @param behave answers or breaks; undefined: 200 with an empty body */
async function receiver(
  behave: (request: Received, response: ServerResponse, nth: number) => void = (_, response) => response.end(),
  port = 0
): Promise<Receiver> {
  const requests: Received[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      requests.push(received);
      behave(received, response, requests.length);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const bodies = (requests: readonly Received[], path: string): string[] =>
  requests.filter((request) => request.path === path).map((request) => request.body.toString());

describe('shipping over HTTP', () => {
  it('sends each stream to its own address with its own token', async () => {
    using dir = temporaryDirectory();
    await using traces = await receiver();
    await using logs = await receiver();
    const { spool } = await reopen(dir.path);
    await spool.append([metadata('m'), payload('p')]);
    spool.startShipping({
      metadata: { url: `${traces.url}/base/`, token: 'metadata-token' },
      payload: { url: logs.url, token: 'payload-token' },
      compression: 'gzip',
      lingerMs: 0,
    });
    expect(await spool.flush(10_000)).toBe(true);
    await spool.close();
    expect(traces.requests).toMatchObject([
      {
        path: '/base/v1/traces',
        headers: {
          authorization: 'Bearer metadata-token',
          'content-type': 'application/x-protobuf',
          'content-encoding': 'gzip',
        },
      },
    ]);
    expect(logs.requests).toMatchObject([{ path: '/v1/logs', headers: { authorization: 'Bearer payload-token' } }]);
    expect(gunzipSync(traces.requests[0]!.body).toString()).toBe('<m>');
    expect(gunzipSync(logs.requests[0]!.body).toString()).toBe('<p>');
  });

  it('repeats the same bytes when the endpoint takes them and dies before it answers', async () => {
    using dir = temporaryDirectory();
    await using endpoint = await receiver((_, response, nth) => {
      if (nth <= 4) response.destroy();
      else response.end();
    });
    const { spool } = await reopen(dir.path);
    const target = { url: endpoint.url };
    spool.startShipping({ metadata: target, payload: target, lingerMs: 0 });
    for (let record = 0; record < 50; record += 1)
      await spool.append([metadata(`m ${record}`), payload(`p ${record}`)]);
    expect(await spool.flush(20_000)).toBe(true);
    await spool.close();
    for (const [path, letter] of [
      ['/v1/traces', 'm'],
      ['/v1/logs', 'p'],
    ] as const) {
      const sent = bodies(endpoint.requests, path);
      const distinct = [...new Set(sent)];
      expect(sent.length).toBeGreaterThan(distinct.length);
      expect(textsIn(Buffer.from(distinct.join('')))).toEqual(Array.from({ length: 50 }, (_, n) => `${letter} ${n}`));
    }
  });

  it('waits for an endpoint that is not there, and says so without its address', async () => {
    using dir = temporaryDirectory();
    const port = await (async () => {
      await using gone = await receiver();
      return gone.port;
    })();
    const logger = collectingLogger();
    const { spool } = await reopen(dir.path, { logger });
    const target = { url: `http://user:secret@127.0.0.1:${port}`, token: 'secret-token' };
    spool.startShipping({ metadata: target, payload: target, lingerMs: 0 });
    await spool.append([metadata('m'), payload('p')]);
    expect(await spool.flush(100)).toBe(false);
    await using endpoint = await receiver(undefined, port);
    expect(await spool.flush(10_000)).toBe(true);
    await spool.close();
    expect(endpoint.requests.map((request) => request.body.toString()).sort()).toEqual(['<m>', '<p>']);
    const failed = logger.lines.filter((line) => line.event === 'spool.ship_failed');
    expect(failed[0]?.fields).toMatchObject({ code: 'ECONNREFUSED', attempt: 1 });
    expect(JSON.stringify(logger.lines)).not.toMatch(/secret|127\.0\.0\.1/);
  });

  it('gives up an answer that never comes, or never ends', async () => {
    using dir = temporaryDirectory();
    await using endpoint = await receiver((_, response, nth) => {
      if (nth === 1) return;
      if (nth === 2) {
        response.writeHead(200, { 'content-type': 'application/x-protobuf' });
        response.write(Buffer.alloc(5 * 1024 * 1024));
        return;
      }
      response.end();
    });
    const { spool } = await reopen(dir.path);
    const target = { url: endpoint.url };
    spool.startShipping({ metadata: target, payload: target, lingerMs: 0, timeoutMs: 300 });
    await spool.append([metadata('m')]);
    expect(await spool.flush(20_000)).toBe(true);
    expect(bodies(endpoint.requests, '/v1/traces')).toEqual(['<m>', '<m>', '<m>']);
    await spool.close();
  });

  it('sends the very same request again after kill -9 between sending and answer', async () => {
    using dir = temporaryDirectory();
    const answersNothing = await receiver(() => undefined);
    const program = join(import.meta.dirname, 'spool-child.ts');
    const start = (url: string) =>
      spawn(process.execPath, [program, dir.path, 'ship', url], { stdio: ['ignore', 'inherit', 'inherit'] });
    const first = start(answersNothing.url);
    await expect.poll(() => answersNothing.requests.length, { timeout: 10_000 }).toBe(2);
    first.kill('SIGKILL');
    await once(first, 'exit');
    await answersNothing[Symbol.asyncDispose]();

    await using endpoint = await receiver();
    const second = start(endpoint.url);
    const arrived = () => textsIn(Buffer.from(bodies(endpoint.requests, '/v1/traces').join(''))).length;
    await expect.poll(arrived, { timeout: 10_000 }).toBe(6);
    second.kill('SIGKILL');
    await once(second, 'exit');
    for (const path of ['/v1/traces', '/v1/logs']) {
      expect(bodies(answersNothing.requests, path)).toHaveLength(1);
      expect(bodies(endpoint.requests, path)[0]).toBe(bodies(answersNothing.requests, path)[0]);
    }
  });
});
