/**
 * The MCP server behind: holds every GET stream open and idle; answers a POST with events as fast as the socket takes
 * them, so many bytes in all, the JSON-RPC answer last. Tells its port, and on request how much the gateway has taken.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const EVENT_BYTES = 50_000;
const [bytes = '5000000'] = process.argv.slice(2);
const text = 'x'.repeat(EVENT_BYTES);
const notification = `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${text}"}}\n\n`;
const ANSWER = 'data: {"jsonrpc":"2.0","id":1,"result":{"content":[]}}\n\n';
const sockets = new Set<ServerResponse>();
let taken = 0;
let open = 0;

/** Back-pressure reaches as far as here: the next event is written when the last one was taken. */
function push(res: ServerResponse, left: number): void {
  if (res.destroyed) return;
  if (left <= 0) {
    res.end(ANSWER);
    return;
  }
  res.write(notification, (error) => {
    if (error !== null && error !== undefined) return;
    taken += notification.length;
    push(res, left - notification.length);
  });
}

const server = createServer((req, res) => {
  sockets.add(res);
  res.on('close', () => {
    sockets.delete(res);
    if (req.method === 'GET') open -= 1;
  });
  req.resume();
  req.on('end', () => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    if (req.method === 'GET') {
      open += 1;
      res.write(': open\n\n');
    } else push(res, Number(bytes));
  });
});
server.listen(0, '127.0.0.1', 10_000, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', (question) => {
  if (question === 'figures') process.send?.({ taken, open });
});
process.on('disconnect', () => process.exit());
