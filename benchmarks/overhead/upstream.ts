/**
 * The upstream of the overhead benchmark: answers each `tools/call` with a text of the size that the call asked for, as
 * plain JSON, at once or after as many milliseconds as its argument says. As light as node:http allows, so that what is
 * measured in front of it stands out.
 */
import { createServer } from 'node:http';
import { serveChild } from './child.ts';

const delayMs = Number(process.argv[2] ?? 0);
const answers = new Map<string, string>();

function textOf(bytes: number): string {
  // like a tool's answer: words, not one letter
  return 'The quick brown fox jumps over 13 lazy dogs; order 4711 was shipped. '
    .repeat(Math.ceil(bytes / 69))
    .slice(0, bytes);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('latin1');
    const id = /"id":(\d+)/.exec(body)?.[1] ?? 'null';
    const bytes = /"bytes":(\d+)/.exec(body)?.[1] ?? '64';
    let text = answers.get(bytes);
    if (text === undefined) answers.set(bytes, (text = JSON.stringify(textOf(Number(bytes)))));
    const answer = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":${text}}]}}`;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) });
    if (delayMs > 0) setTimeout(() => response.end(answer), delayMs);
    else response.end(answer);
  });
});
server.keepAliveTimeout = 60_000;
await serveChild(server);
