/** The floor of any proxy in Node: node:http on both sides, streams piped, nothing looked at. */
import { Agent, createServer, request as httpRequest } from 'node:http';
import { serveChild } from './child.ts';

const target = new URL(process.argv[2] ?? '');
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const server = createServer((incoming, outgoing) => {
  const upstream = httpRequest(
    {
      agent,
      host: target.hostname,
      port: target.port,
      path: incoming.url,
      method: incoming.method,
      headers: { ...incoming.headers, host: target.host },
    },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    }
  );
  upstream.on('error', () => outgoing.destroy());
  incoming.pipe(upstream);
});
server.keepAliveTimeout = 60_000;
await serveChild(server);
