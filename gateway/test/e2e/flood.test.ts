/**
 * A flood of strangers against the running program: what it may write is bounded, what it left out is counted to the last
 * one, and who is let in from the same address does not feel it.
 */
import { readdirSync, statSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GatelensProcess } from './gatelens-process.ts';
import { bearer, send, toolCall } from './mcp-clients.ts';
import { People } from './people.ts';
import { startWebServer, type WebServer } from './upstream-process.ts';

const CONNECTIONS = 20;
const people = new People();
people.addKey('ana', { user: 'ana@example.com' });

let web: WebServer;
let gatelens: GatelensProcess;
beforeAll(async () => {
  web = await startWebServer('say');
  gatelens = new GatelensProcess({
    config: {
      mcpServers: { fast: { url: `${web.url}/fast` } },
      auth: { apiKeys: people.apiKeys },
      policy: [{ allow: false, tools: ['shut'] }, { allow: true }],
      // one interval, however long the flood takes here
      limits: { attempts: { every: '10m' } },
    },
  });
});
afterAll(async () => {
  await gatelens.dispose();
  await web.stop();
});

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
/** as long as headers may be */
const padding = { 'X-Padding': 'x'.repeat(15_000) };
const body = toolCall(1, 'any', { text: 'y'.repeat(20_000) });
const STRANGERS: Record<string, () => Promise<number>> = {
  unauthenticated: async () => (await send(gatelens.mcp('fast'), { headers: padding, body, agent })).status,
  origin_denied: async () =>
    (await send(gatelens.mcp('fast'), { headers: { ...padding, Host: 'evil.example' }, body, agent })).status,
  not_found: async () => (await send(new URL('/admin.php', gatelens.urls.mcp), { headers: padding, agent })).status,
};

/** So many of each sort, a few at a time. @returns how often each status was answered */
async function flood(times: number): Promise<Map<string, number>> {
  const jobs = Object.entries(STRANGERS).flatMap(([sort, one]) =>
    Array.from({ length: times }, () => async () => `${sort} ${await one()}`)
  );
  const statuses = new Map<string, number>();
  const work = async (): Promise<void> => {
    for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
      const status = await job();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  return statuses;
}

function bytesUnder(dir: string): number {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Announces a body of 10 MB and sends none of it. */
function announceBody(): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gatelens.urls.mcp);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString())).on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.write(
      'POST /mcp/fast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n'
    );
  });
}

it('writes a bounded number of bytes, counts the rest exactly, and lets known callers pass', async () => {
  await gatelens.start();
  // what is written stays where it can be measured
  process.kill(gatelens.storePid, 'SIGSTOP');
  const spool = join(gatelens.dataDir, 'spool', 'gateway');
  const before = bytesUnder(spool);
  const flooding = flood(1000);
  const ana = bearer(people.of('ana'));
  for (let id = 1; id <= 20; id++) {
    expect((await send(gatelens.mcp('fast'), { headers: ana, body: toolCall(id, 'any', {}) })).status).toBe(200);
  }
  const statuses = await flooding;
  // one that is over the limit is not read
  expect(await announceBody()).toMatch(
    /^HTTP\/1\.1 429 .*\r\n(?:.*\r\n)*Retry-After: \d+\r\n(?:.*\r\n)*Connection: close/i
  );
  expect(statuses.get('not_found 404')).toBe(1000);
  expect((statuses.get('unauthenticated 429') ?? 0) + (statuses.get('origin_denied 429') ?? 0)).toBeGreaterThan(1500);
  // denied calls of somebody who is known have room of their own
  const shut = await send(gatelens.mcp('fast'), { headers: ana, body: toolCall(99, 'shut', {}) });
  expect(shut.body).toContain('denied');
  const written = bytesUnder(spool) - before;
  expect(written).toBeLessThan(1_500_000);
  expect(await gatelens.metrics().then((figures) => figures.get('gatelens_attempts_left_out_total'))).toBeGreaterThan(
    2500
  );
  expect(gatelens.stderr.split('\n').length).toBeLessThan(60);

  process.kill(gatelens.storePid, 'SIGCONT');
  await gatelens.kill('SIGTERM');
  await gatelens.start();
  await gatelens.settled();
  const rows = await gatelens.rows<{ error_type: string; records: string; left_out: string; sorts: string }>(
    `SELECT error_type, toString(count()) AS records,
       toString(sum(toUInt64OrZero(attributes['gatelens.left_out.attempts']))) AS left_out,
       any(attributes['gatelens.left_out.sorts']) AS sorts
     FROM mcp.calls FINAL WHERE kind = 'attempt' AND user_key = '' GROUP BY error_type`
  );
  const recorded = new Map(rows.map((row) => [row.error_type, Number(row.records)]));
  const sums = rows.find((row) => row.error_type === 'attempts_left_out');
  const leftOut = new Map(Object.entries(JSON.parse(sums?.sorts ?? '{}') as Record<string, number>));
  const all = (sort: string): number => (recorded.get(sort) ?? 0) + (leftOut.get(sort) ?? 0);
  expect([sums?.records, sums?.left_out]).toEqual(['1', String([...leftOut.values()].reduce((a, b) => a + b, 0))]);
  // the last report of the process that was ended
  const [health] = await gatelens.rows<{ left_out: string }>(
    `SELECT toString(max(attempts_left_out)) AS left_out FROM mcp.health WHERE component = 'gateway'`
  );
  expect(health?.left_out).toBe(sums?.left_out);
  expect(recorded.get('not_found')).toBeUndefined();
  expect([all('unauthenticated'), all('origin_denied'), all('not_found')]).toEqual([1001, 1000, 1000]);
  const ofAna = await gatelens.rows<{ kind: string; n: string }>(
    `SELECT kind, toString(count()) AS n FROM mcp.calls FINAL WHERE user_key != '' GROUP BY kind ORDER BY kind`
  );
  expect(ofAna).toEqual([
    { kind: 'attempt', n: '1' },
    { kind: 'request', n: '20' },
  ]);
}, 120_000);
