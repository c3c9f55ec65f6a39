/**
 * What goes wrong around a running Gatelens: a full disk, a store that hangs, another process on the same data, data
 * that cannot be written, a clock that is set back. Nothing is lost without being said, and it goes on by itself.
 */
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { canMount } from '../spool/mount-namespace.ts';
import { AuditLog } from './audit-log.ts';
import { GatelensProcess, type GatelensOptions } from './gatelens-process.ts';
import { bearer, send, toolCall, type RawAnswer } from './mcp-clients.ts';
import { People } from './people.ts';
import { until } from './until.ts';
import { startWebServer, type WebServer } from './upstream-process.ts';

const people = new People();
people.addKey('ana', { user: 'ana@example.com' });
people.addToken('admin', 'admin');

let web: WebServer;
let running: GatelensProcess[] = [];
beforeAll(async () => {
  web = await startWebServer('say');
});
afterEach(async () => {
  for (const one of running) await one.dispose();
  running = [];
});
afterAll(() => web.stop());

function create(
  more: Partial<GatelensOptions['config']> = {},
  options: Partial<GatelensOptions> = {}
): GatelensProcess {
  const config = {
    mcpServers: { fast: { url: `${web.url}/fast` } },
    auth: { apiKeys: people.apiKeys },
    auditApi: { tokens: people.tokens },
    ...more,
  };
  const gatelens = new GatelensProcess({ config, ...options });
  running.push(gatelens);
  return gatelens;
}

const call = (gatelens: GatelensProcess, id: number, args: object = {}): Promise<RawAnswer> =>
  send(gatelens.mcp('fast'), { headers: bearer(people.of('ana')), body: toolCall(id, 'any', args) });

const log = (gatelens: GatelensProcess): AuditLog => new AuditLog(gatelens.urls.auditApi, people.of('admin'));

async function recordedIds(gatelens: GatelensProcess): Promise<number[]> {
  const calls = await log(gatelens).calls({ server: 'fast', outcome: 'success' });
  return calls.map((one) => Number(one.rpcId)).sort((a, b) => a - b);
}

const count = async (gatelens: GatelensProcess, name: string): Promise<number> =>
  (await gatelens.metrics()).get(`gatelens_${name}`) ?? Number.NaN;

/** What a client gets while its call cannot be recorded. */
function expectRefusal(answer: RawAnswer, id: number): void {
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.body)).toMatchObject({
    jsonrpc: '2.0',
    id,
    error: { code: -32003, message: expect.stringContaining('cannot be recorded') },
  });
}

describe('a store that hangs', () => {
  it('holds up no call; what waits is delivered by itself, and the audit API says so meanwhile', async () => {
    const gatelens = await create().start();
    process.kill(gatelens.storePid, 'SIGSTOP');
    for (let id = 1; id <= 30; id++) expect((await call(gatelens, id)).status).toBe(200);
    const { status, text } = await log(gatelens).get('/healthz');
    expect([status, text]).toEqual([503, expect.stringContaining('store_unavailable')]);
    expect(await count(gatelens, 'spool_size')).toBeGreaterThan(10_000);
    expect(await count(gatelens, 'records_lost_total')).toBe(0);
    process.kill(gatelens.storePid, 'SIGCONT');
    await gatelens.settled();
    expect(await recordedIds(gatelens)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect((await log(gatelens).get('/healthz')).status).toBe(200);
  });

  it('fills the spool up to its cap; then calls are refused until there is room again', async () => {
    const gatelens = await create({ spool: { maxBytes: '1MiB' } }).start();
    process.kill(gatelens.storePid, 'SIGSTOP');
    // what does not compress
    const args = (): object => ({
      text: Buffer.from(crypto.getRandomValues(new Uint8Array(30_000))).toString('base64'),
    });
    const taken: number[] = [];
    let refusals = 0;
    for (let id = 1; refusals < 3; id++) {
      expect(id).toBeLessThan(200);
      const answer = await call(gatelens, id, args());
      if (answer.status === 200) taken.push(id);
      else {
        expectRefusal(answer, id);
        refusals += 1;
      }
    }
    expect(taken.length).toBeGreaterThan(10);
    process.kill(gatelens.storePid, 'SIGCONT');
    await until(async () => (await call(gatelens, 1000)).status === 200, 'calls are taken again', 40_000);
    await gatelens.settled();
    const recorded = new Set(await recordedIds(gatelens));
    expect(taken.filter((id) => !recorded.has(id))).toEqual([]);
  }, 90_000);
});

/** The spool on a small disk of its own, in a mount namespace. */
const onSmallDisk: NonNullable<GatelensOptions['wrap']> = (command, { dataDir }) => {
  const spool = join(dataDir, 'spool');
  mkdirSync(spool, { recursive: true });
  const script = 'mount -t tmpfs -o size=6m tmpfs "$1" && shift && exec "$@"';
  return ['unshare', '-rm', 'sh', '-c', script, 'sh', spool, ...command];
};

/** Writes until the disk is full. @returns what frees it again */
function fillDisk(gatelens: GatelensProcess): () => void {
  // as the process sees it
  const file = join(`/proc/${gatelens.pid}/root`, gatelens.dataDir, 'spool', 'filler');
  const fd = openSync(file, 'w');
  try {
    for (let size = 65_536; size >= 1; size = size >> 1) {
      const block = Buffer.alloc(size, 1);
      for (;;) {
        try {
          writeSync(fd, block);
        } catch {
          break;
        }
      }
    }
  } finally {
    closeSync(fd);
  }
  return () => rmSync(file);
}

if (!canMount) console.warn('SKIPPED: a full disk needs Linux with user namespaces or root, to mount one.');
describe.skipIf(!canMount)('a full disk', () => {
  it('refuses calls with a reason, lets none through unrecorded, and goes on once there is room', async () => {
    const gatelens = await create({}, { wrap: onSmallDisk }).start();
    for (let id = 1; id <= 5; id++) expect((await call(gatelens, id)).status).toBe(200);
    const free = fillDisk(gatelens);
    let refused = 0;
    const answered: number[] = [];
    // what had been laid out ahead is used up first
    for (let id = 100; refused < 20 && id < 5000; id++) {
      // an answer that had begun breaks off
      const answer = await call(gatelens, id, { text: 'x'.repeat(2000) }).catch(() => undefined);
      if (answer === undefined) continue;
      if (answer.status === 200) answered.push(id);
      else {
        expectRefusal(answer, id);
        refused += 1;
      }
    }
    expect(refused).toBe(20);
    expect(gatelens.log('audit.records_refused')).not.toEqual([]);
    expect(gatelens.isRunning).toBe(true);
    free();
    await until(
      async () => (await call(gatelens, 9000).catch(() => undefined))?.status === 200,
      'calls are taken again'
    );
    await gatelens.settled();
    const recorded = new Set(await recordedIds(gatelens));
    expect([1, 2, 3, 4, 5, ...answered, 9000].filter((id) => !recorded.has(id))).toEqual([]);
    expect(await count(gatelens, 'records_lost_total')).toBe(0);
    expect(await count(gatelens, 'records_refused_total')).toBeGreaterThanOrEqual(20);
    const { code, out } = await gatelens.run('verify', '--json');
    expect([code, (JSON.parse(out) as { findings: unknown[] }).findings]).toEqual([0, []]);
  }, 60_000);

  it('lets calls pass where that is the policy, and says how many were lost', async () => {
    const gatelens = await create({ audit: { onFailure: 'pass' } }, { wrap: onSmallDisk }).start();
    expect((await call(gatelens, 1)).status).toBe(200);
    const free = fillDisk(gatelens);
    let id = 2;
    await until(async () => {
      for (let n = 0; n < 50; n++) expect((await call(gatelens, id++, { text: 'x'.repeat(2000) })).status).toBe(200);
      return (await count(gatelens, 'records_lost_total')) >= 20;
    }, 'calls are lost');
    expect(gatelens.log('audit.records_lost')).not.toEqual([]);
    free();
    const lost = async (): Promise<number> => count(gatelens, 'records_lost_total');
    await until(async () => {
      const before = await lost();
      expect((await call(gatelens, id++)).status).toBe(200);
      return (await lost()) === before;
    }, 'calls are recorded again');
    await gatelens.settled();
    const total = await lost();
    expect(await log(gatelens).calls({ server: 'fast' })).toHaveLength(id - 1 - total);
    // the last report of a process that ends
    expect(await gatelens.kill('SIGTERM')).toMatchObject({ code: 0 });
    gatelens.configure({ mcpServers: {}, auditApi: { tokens: people.tokens } });
    await gatelens.start();
    const [report] = await until(
      () =>
        gatelens.rows<{ lost: string }>(
          "SELECT toString(max(lost)) AS lost FROM mcp.health WHERE component = 'gateway'"
        ),
      'a report'
    );
    expect(Number(report?.lost)).toBe(total);
  }, 60_000);
});

describe('a data directory', () => {
  it('that another process uses is refused, by name of that process, and not touched', async () => {
    const first = await create().start();
    expect((await call(first, 1)).status).toBe(200);
    const { code, out, err } = await first.run('serve');
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toMatch(new RegExp(`in use by process ${first.pid}\\. Stop it, or give this one another dataDir`));
    expect((await call(first, 2)).status).toBe(200);
    await first.settled();
    expect(await recordedIds(first)).toEqual([1, 2]);
  });

  it.each<[string, string, string]>([
    ['is a file', '.', ''],
    ['holds a spool that is a file', 'spool', ''],
    ['holds damaged keys', 'keys/store.json', '{"passwords":'],
  ])('that %s is refused with exit code 4 and a remedy', async (_, name, content) => {
    const gatelens = create();
    const file = join(gatelens.dataDir, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    const { code } = await gatelens.spawn();
    expect(gatelens.stderr).toMatch(/^gatelens: .*(data directory|dataDir|keys).*\./m);
    expect(gatelens.stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(4);
  });

  it.skipIf(!canMount)('that is read-only is refused, also for root', async () => {
    const gatelens = create(
      {},
      {
        wrap: (command, { dataDir }) => {
          mkdirSync(dataDir, { recursive: true });
          const script = 'mount -t tmpfs -o ro tmpfs "$1" && shift && exec "$@"';
          return ['unshare', '-rm', 'sh', '-c', script, 'sh', dataDir, ...command];
        },
      }
    );
    const { code } = await gatelens.spawn();
    expect([code, gatelens.stderr]).toEqual([4, expect.stringMatching(/EROFS|read-only/)]);
  });
});

describe('a clock that is set back', () => {
  it('loses no call, and the order of the chain stays', async () => {
    const preload = join(import.meta.dirname, '..', 'fixtures', 'settable-clock.mjs');
    const gatelens = create({}, { env: { NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` } });
    await gatelens.start();
    expect((await call(gatelens, 1)).status).toBe(200);
    process.kill(gatelens.pid, 'SIGUSR2');
    await until(() => gatelens.stderr.includes('the clock was set back'), 'the clock is set back');
    for (const id of [2, 3]) expect((await call(gatelens, id)).status).toBe(200);
    await gatelens.settled();
    const calls = await log(gatelens).calls({ server: 'fast', from: 'now-7d' });
    const bySeq = [...calls].sort((a, b) => Number(a.seq) - Number(b.seq));
    expect(bySeq.map((one) => one.rpcId)).toEqual(['1', '2', '3']);
    const [first, second] = bySeq.map((one) => Date.parse(one.startedAt));
    expect((first ?? 0) - (second ?? 0)).toBeGreaterThan(3_500_000);
    for (const one of calls) expect(one.durationMs).toBeLessThan(5000);
    const { out } = await gatelens.run('verify', '--json');
    // for this command nobody set the clock back, so the newest records look old enough to be signed
    const { findings } = JSON.parse(out) as { findings: { kind: string }[] };
    expect(findings.filter(({ kind }) => kind !== 'unsigned')).toEqual([]);
    const to = new Date(Date.now() + 60_000).toISOString();
    const usage = await log(gatelens).usage({ from: 'now-3h', to });
    expect(usage.totals.calls).toBe(3);
  });
});
