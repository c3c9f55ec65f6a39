/**
 * Stands between the collector and the store: passes requests on, keeps what was asked, and can be told to refuse, to
 * be out of reach or to lose answers, as a store behind a network does.
 */
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TappedRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type TapMode =
  | 'pass'
  /** connections break */
  | 'down'
  /** 503 */
  | 'refuse'
  /** the store takes inserts, their answers never come */
  | 'lose-answers';

export interface StoreTap {
  readonly url: string;
  readonly requests: TappedRequest[];
  mode: TapMode;
  close(): Promise<void>;
}

export async function startStoreTap(storeUrl: string): Promise<StoreTap> {
  const requests: TappedRequest[] = [];
  const server = createServer((req, res) => {
    if (tap.mode === 'down') {
      req.socket.destroy();
      return;
    }
    const chunks: Buffer[] = [];
    req.on('error', () => undefined);
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      if (tap.mode === 'refuse') {
        res.writeHead(503).end('the store is being upgraded');
        return;
      }
      requests.push({ url: req.url ?? '', headers: req.headers, body });
      const headers = { ...req.headers, 'content-length': String(body.length) };
      delete headers['transfer-encoding'];
      const options = { method: req.method, headers };
      const onward = httpRequest(`${storeUrl}${req.url ?? ''}`, options, (answer) => {
        if (tap.mode === 'lose-answers' && req.url?.includes('INSERT') === true) {
          answer.resume().on('end', () => req.socket.destroy());
          return;
        }
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      });
      onward.on('error', () => res.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const tap: StoreTap = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    mode: 'pass',
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return tap;
}
