/** `gatelens demo` as people run it: alone, with a past, and beside a Gatelens that runs already. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickStartDefaults } from '../../src/cli/quick-start.ts';
import { pastDays } from '../../src/demo/history/history-days.ts';
import { planDay } from '../../src/demo/history/plan-day.ts';

const BIN = fileURLToPath(new URL('../../bin/gatelens.mjs', import.meta.url));
const OUTCOMES = ['success', 'tool_error', 'rpc_error', 'denied', 'timeout', 'cancelled', 'upstream_unreachable'];
const PEOPLE = ['ana', 'ben', 'chloe', 'david', 'emma'].map((name) => `${name}@example.com`);

let cwd: string;
let serving: ChildProcess | undefined;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'gatelens-demo-'));
  const dataDir = join(cwd, '.gatelens');
  const [mcp, auditApi] = await freePorts();
  const defaults = quickStartDefaults({ dataDir, nodePath: process.execPath, withServers: true }, undefined);
  const listen = {
    mcp: `127.0.0.1:${mcp}`,
    auditApi: `127.0.0.1:${auditApi}`,
    metrics: '127.0.0.1:0',
    store: '127.0.0.1:0',
  };
  writeFileSync(join(cwd, 'gatelens.yaml'), JSON.stringify({ ...defaults, listen }));
});

afterAll(() => {
  serving?.kill('SIGKILL');
  rmSync(cwd, { recursive: true, force: true });
});

/** The demo finds a running gateway by the configured port, so it cannot be 0. */
async function freePorts(): Promise<readonly [number, number]> {
  const probes = [createServer(), createServer()];
  await Promise.all(probes.map((probe) => new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))));
  const [one, other] = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return [one!, other!];
}

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, said, ended };
}

async function run(...args: string[]) {
  const { said, ended } = start(args);
  return { code: await ended, ...said };
}

/** The rows of a printed table by their first column. */
function tableOf(text: string, head: string): Map<string, string> {
  const [, rest = ''] = text.split(new RegExp(`^${head}.*\n`, 'm'));
  const rows = (rest.split('\n\n')[0] ?? '').trim().split('\n');
  return new Map(rows.map((row) => [/^(?:key )?\S+/.exec(row)?.[0] ?? '', row]));
}

interface Page {
  readonly items: readonly {
    readonly id: string;
    readonly kind: string;
    readonly operation: string;
    readonly outcome: string | null;
    readonly startedAt: string;
    readonly demo: boolean;
    readonly server: string;
    readonly upstreamTransport: string;
    readonly policyRule: string | null;
  }[];
}

describe('gatelens demo', () => {
  let api: string;
  let token: string;
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${api}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  };

  it('starts everything, makes calls with every outcome, adds a past, sums up, and ends', async () => {
    const { code, out, err } = await run('demo', '--exit', '--history', '--days', '4');
    expect(err).not.toMatch(/stopped by|gatelens:/);
    expect(code).toBe(0);
    const outcomes = tableOf(out, 'outcome');
    expect([...outcomes.keys()]).toEqual([...OUTCOMES, 'all']);
    const people = tableOf(out, 'who');
    expect([...people.keys()]).toEqual(expect.arrayContaining([...PEOPLE, 'key demo-nightly']));
    expect(
      new Set([...people.values()].flatMap((row) => /demo-(ide|agent|chat) \S+$/.exec(row) ?? [])).size
    ).toBeGreaterThan(2);
    expect(people.get('ben@example.com')).toContain('everything-http');
    const planned = pastDays(new Date(), 4).flatMap((day) => planDay(day));
    expect(out).toContain(`History: ${planned.filter(({ kind }) => kind === 'request').length} requests`);
    expect(out).toContain('demo=true');
    expect(out).toContain('npx gatelens serve\n');
    expect(out + err).not.toMatch(/gla?_[\w-]{20}/);
  });

  it('takes out its keys at the end, so that none pile up', async () => {
    for (const command of ['api-keys', 'tokens']) {
      const { out, err } = await run(command, 'list');
      expect(out).toBe('');
      expect(err).toMatch(/No .* has been made in this data directory/);
    }
  });

  it('leaves real calls and the past apart in the audit log', async () => {
    const { child, said, ended } = start(['serve']);
    serving = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', () => said.out.includes('See the calls') && resolve());
      void ended.then((code) => reject(new Error(`serve ended with ${code}: ${said.err}`)));
    });
    api = /(http:\S+)\/api\/v1\n/.exec(said.out)?.[1] ?? '';
    token = (await run('tokens', 'create', '--name', 'test', '--role', 'auditor')).out.trim();

    const real = (await get<Page>('/calls?from=now-90d&limit=1000')).items;
    const today = Date.now() - 3_600_000;
    expect(real.every(({ demo, startedAt }) => !demo && Date.parse(startedAt) > today)).toBe(true);
    expect(new Set(real.map(({ kind }) => kind))).toEqual(
      new Set(['request', 'attempt', 'notification', 'server_request', 'stream'])
    );
    expect(new Set(real.map(({ outcome }) => outcome))).toEqual(new Set(OUTCOMES));
    expect(real.map(({ operation }) => operation)).toEqual(
      expect.arrayContaining([
        ...['initialize', 'ping', 'tools/list', 'tools/call', 'prompts/list', 'prompts/get', 'resources/list'],
        ...['resources/templates/list', 'resources/read', 'resources/subscribe', 'completion/complete'],
        ...['logging/setLevel', 'tasks/get', 'tasks/result', 'notifications/progress', 'notifications/cancelled'],
        ...['sampling/createMessage', 'elicitation/create', 'roots/list', 'stream'],
      ])
    );
    expect(new Set(real.map(({ upstreamTransport }) => upstreamTransport))).toEqual(new Set(['http', 'stdio', 'none']));
    expect(new Set(real.map(({ policyRule }) => policyRule))).toEqual(
      new Set(['everybody', 'contractors-read-only', null])
    );

    const past = (await get<Page>('/calls?from=now-90d&limit=1000&demo=true')).items;
    expect(past.length).toBeGreaterThan(100);
    const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000;
    expect(past.every(({ demo, startedAt }) => demo && Date.parse(startedAt) < midnight)).toBe(true);
    const usage = (query: string) =>
      get<{ totals: { calls: number } }>(`/usage/summary?from=now-90d${query}`).then(({ totals }) => totals.calls);
    expect(await usage('')).toBe(real.filter(({ kind }) => kind === 'request').length);
    expect(await usage('&demo=true')).toBe(
      pastDays(new Date(), 4)
        .flatMap((day) => planDay(day))
        .filter(({ kind }) => kind === 'request').length
    );
    const call = past.find(({ operation, outcome }) => operation === 'tools/call' && outcome === 'success');
    const payload = await get<{ request: { bodyText: string } }>(`/calls/${call?.id}/payload`);
    expect(payload.request.bodyText).toContain('"method":"tools/call"');
  });

  it('makes its calls on the Gatelens that runs already, and no past there', async () => {
    const before = (await get<Page>('/calls?limit=1000')).items.length;
    const { code, out, err } = await run('demo');
    expect(err).toContain('the calls are made there');
    expect(code).toBe(0);
    expect([...tableOf(out, 'outcome').keys()]).toEqual([...OUTCOMES, 'all']);
    expect((await get<Page>('/calls?limit=1000')).items.length).toBeGreaterThan(before + 50);
    const refused = await run('demo', '--history');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('Stop it, then run this again');
  });
});
