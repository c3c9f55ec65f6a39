/** Stands for the store: takes OTLP requests and forgets them, so that shipping is part of what is measured. */
import { createServer } from 'node:http';
import { serveChild } from './child.ts';

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end());
});
server.keepAliveTimeout = 60_000;
await serveChild(server);
