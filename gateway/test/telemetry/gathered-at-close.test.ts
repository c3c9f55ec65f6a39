import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startRecordingGateway } from './recording-gateway.ts';

const CALLS = 5;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function startUpstream(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

describe('a gateway that closes', () => {
  it.each(['async', 'before-reply'] as const)('has every call on disk whose reply was seen: %s', async (durability) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'gatelens-close-'));
    closing.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const server = ['up', await startUpstream()] as const;
    const { gateway, recorder, reopen } = await startRecordingGateway({ dataDir, server, durability });
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}',
    };
    const replies = await Promise.all(Array.from({ length: CALLS }, () => fetch(`${gateway.url}/mcp/up`, request)));
    expect(replies.map(({ status }) => status)).toEqual(Array(CALLS).fill(200));
    // not a tick for what gathers
    await gateway.close(500);
    await recorder.close(0);
    const again = await reopen();
    expect(again.spool.stats()).toMatchObject({ recorded: CALLS, openIntents: 0 });
    expect(again.spool.chain.head().seq).toBe(BigInt(CALLS));
    await again.close(0);
  });
});
