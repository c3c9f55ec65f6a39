/**
 * A marker in every place where payload, secrets or text of strangers can come from; then every way out is searched. An
 * auditor finds it in the payload of the call, and it is nowhere else: not in what other roles get, not in metadata, not
 * in logs, metrics, mirrors, not in any file, whether the gateway was killed or ended. A marker that metadata may show is
 * planted, too, and must be found by the same search, or the search would prove nothing.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../src/audit-api/contract.ts';
import { AuditLog, type ApiAnswer } from './audit-log.ts';
import { GatelensProcess } from './gatelens-process.ts';
import { makeMarkedCalls, namedPlaces, PLACES, type Seen } from './marked-calls.ts';
import { filesIn, Markers, type Finding } from './marker.ts';
import { bearer, connectClient, send, toolCall } from './mcp-clients.ts';
import { startOtlpCollector, type OtlpCollector } from './otlp-collector.ts';
import { People } from './people.ts';
import { killAll } from './process-tree.ts';
import { until } from './until.ts';
import { startWebServer, type WebServer } from './upstream-process.ts';

const LEAKY = fileURLToPath(new URL('../fixtures/leaky-stdio-server.ts', import.meta.url));

/** what must not leak */
const secret = new Markers();
/** what metadata shows: the name a client gives itself */
const visible = new Markers();
/** who somebody is: for admins and auditors, and in mcp_protected.principals */
const person = new Markers();
const clientName = visible.of('Client');
const email = `${person.of('email').toLowerCase()}@example.com`;

const people = new People();
let web: WebServer;
let collector: OtlpCollector;
let gatelens: GatelensProcess;
let calls: Call[] = [];
/** bytes of the data directory when the gateway was killed, with everything still in the spool */
let afterKill: { secret: Finding[]; visible: Finding[] };
let metricsText = '';

const log = (token?: string): AuditLog =>
  new AuditLog(gatelens.urls.auditApi, token === undefined ? undefined : people.of(token));

beforeAll(async () => {
  namedPlaces(secret);
  web = await startWebServer(secret.prefix);
  collector = await startOtlpCollector();
  const key = people.addKey('ana', { user: email });
  people.addToken('viewer', 'viewer', { user: email });
  people.addToken('other-viewer', 'viewer', { user: 'bob@example.com' });
  people.addToken('admin', 'admin');
  people.addToken('auditor', 'auditor');
  people.addToken('auditor-of-nothing', 'auditor', { servers: ['none'] });
  const raw = { url: `${web.url}/raw`, requestTimeout: '30s' };
  gatelens = new GatelensProcess({
    config: {
      mcpServers: {
        web: { url: `${web.url}/mcp`, headers: { Authorization: `Bearer ${secret.of('ConfigHeader')}` } },
        raw,
        masked: raw,
        hashed: raw,
        off: raw,
        leaky: {
          command: process.execPath,
          args: [LEAKY, secret.prefix, secret.of('ConfigArg')],
          env: { LEAKY_SECRET: secret.of('ConfigEnv') },
        },
      },
      limits: { bodyBytes: 1_000_000 },
      capture: {
        rules: [
          { server: 'masked', mode: 'redacted' },
          { server: 'hashed', mode: 'hash' },
          { server: 'off', mode: 'off' },
        ],
      },
      auth: { apiKeys: people.apiKeys },
      otlp: { mirrors: [{ name: 'elsewhere', url: collector.url }] },
      metrics: { otlp: { url: collector.url, interval: '1s' } },
      auditApi: { tokens: people.tokens },
    },
  });
  await gatelens.start();

  // The store takes nothing, so that everything is in the spool when the gateway is killed.
  process.kill(gatelens.storePid, 'SIGSTOP');
  await makeMarkedCalls(gatelens, (place) => secret.of(place), key, clientName);
  await until(async () => ((await gatelens.metrics()).get('gatelens_mirror_exported_total') ?? 0) > 50, 'mirrored');
  metricsText = await (await fetch(`${gatelens.urls.metrics}/metrics`)).text();
  const seen = async (): Promise<number> => (await gatelens.metrics()).get('gatelens_records_seen_total') ?? 0;
  const before = await seen();
  const body = toolCall(99, 'silent', { text: secret.of('Interrupted') });
  const cut = expect(send(gatelens.mcp('raw'), { headers: bearer(key), body })).rejects.toThrow();
  await until(async () => (await seen()) > before, 'a call is under way');
  await gatelens.kill('SIGKILL');
  await cut;
  killAll(gatelens.survivors());
  afterKill = { secret: secret.findInFiles(gatelens.dataDir), visible: visible.findInFiles(gatelens.dataDir) };

  await gatelens.start();
  await gatelens.settled();
  calls = await log('auditor').calls();
}, 120_000);
afterAll(async () => {
  await gatelens.dispose();
  await web.stop();
  await collector.close();
});

describe('an auditor', () => {
  it('finds each marker in the payload, and only where it belongs', async () => {
    const seen = new Map<string, Set<Seen>>(Object.keys(PLACES).map((place) => [place, new Set()]));
    seen.set('Interrupted', new Set());
    for (const call of calls) {
      const answer = await log('auditor').get(`/api/v1/calls/${call.id}/payload`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const payload = JSON.parse(answer.text) as Record<Seen, unknown>;
      for (const direction of ['request', 'response'] as const) {
        for (const { marker } of secret.find(JSON.stringify(payload[direction]), direction)) {
          seen.get(marker)?.add(direction);
          expect(seen.has(marker), `a marker nobody knows: ${marker}`).toBe(true);
        }
      }
    }
    const found = [...seen].map(([place, where]) => [place, where.size === 0 ? ['nowhere'] : [...where].sort()]);
    expect(Object.fromEntries(found)).toEqual({ ...PLACES, Interrupted: ['request'] });
  });

  it('is told what was left out, and why', async () => {
    const one = (server: string): Call | undefined => calls.find((call) => call.server === server);
    expect(one('hashed')?.payload).toMatchObject({ state: 'hashed', visible: false, hiddenBecause: 'hash_only' });
    expect(one('off')?.payload).toMatchObject({ state: 'off', visible: false, hiddenBecause: 'capture_off' });
    const { request } = await log('auditor').payload(one('masked')?.id ?? '');
    expect(request.redacted).toContainEqual(expect.stringContaining('password'));
    const huge = calls.find((call) => call.responseBytes > 400_000);
    expect(huge?.payload.state).toBe('sealed_truncated');
  });
});

interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: { readonly enum?: readonly string[] };
  }[];
}

/** Every GET of the OpenAPI document, with every id that a path asks for and every value of its closed parameters. */
async function everyPath(): Promise<string[]> {
  const document = await log().json<{ paths: Record<string, { get?: Operation }> }>('/api/v1/openapi.json');
  const changes = await log('auditor').json<{ items: { id: string }[] }>('/api/v1/tool-changes');
  const runs = await log('auditor').json<{ items: { id: string }[] }>('/api/v1/exports/runs?limit=3');
  const ids: Readonly<Record<string, readonly string[]>> = {
    '/api/v1/calls/': calls.map((call) => call.id),
    '/api/v1/sessions/': [...new Set(calls.map((call) => call.session.key).filter((one) => one !== null))],
    '/api/v1/tool-changes/': changes.items.map((change) => change.id),
    // what is in a file is what /exports/stream gives
    '/api/v1/exports/downloads/': [],
    '/api/v1/exports/schedules/': [],
    '/api/v1/exports/runs/': runs.items.map((run) => run.id),
  };
  return Object.entries(document.paths).flatMap(([path, { get }]) => {
    if (get === undefined) return [];
    const [stem, rest] = path.split(/\{[a-z]+\}/i);
    const known = rest === undefined ? [''] : ids[stem ?? ''];
    if (known === undefined || stem === undefined) throw new Error(`teach this test what to put into ${path}`);
    const queries = ['', ...(get.parameters ?? []).flatMap(formats)];
    return known.flatMap((id) => queries.map((query) => `${stem}${id}${rest ?? ''}${query}`));
  });
}

function formats({ name, schema }: NonNullable<Operation['parameters']>[number]): string[] {
  return name === 'format' ? (schema.enum ?? []).map((value) => `?format=${value}`) : [];
}

async function inParallel<T>(workers: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const take = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: workers }, take));
}

const everythingOf = ({ headers, text }: ApiAnswer): string => `${JSON.stringify([...headers])}\n${text}`;
/** What is kept sealed: payloads, and what servers said of their tools. */
const isPayload = (path: string): boolean => /\/(payload|diff)$/.test(path);

describe('what others get', () => {
  it.each<[string, (path: string) => boolean]>([
    ['viewer', () => true],
    ['other-viewer', () => true],
    ['admin', () => true],
    ['auditor-of-nothing', () => true],
    // metadata, as everybody who may see it
    ['auditor', (path) => !isPayload(path)],
    ['nobody', () => true],
  ])('%s gets no marker from any endpoint', async (who, asks) => {
    const paths = (await everyPath()).filter(asks);
    expect(paths.length).toBeGreaterThan(calls.length);
    const reader = who === 'nobody' ? log() : log(who);
    const found: Finding[] = [];
    const shown: Finding[] = [];
    let persons = 0;
    const ask = async (path: string): Promise<void> => {
      const answer = await reader.get(path);
      expect(answer.status, path).toBeLessThan(500);
      found.push(...secret.find(everythingOf(answer), path));
      shown.push(...visible.find(answer.text, path));
      persons += person.find(answer.text, path).length;
    };
    await inParallel(4, paths, ask);
    expect(found).toEqual([]);
    // the other marker is there for those who may see these calls, and the person for those who may know it
    const seesCalls = !['nobody', 'other-viewer'].includes(who);
    expect(shown.length > 20, 'the name of the client').toBe(seesCalls);
    expect(persons > 0, 'who called').toBe(seesCalls);
  });

  it('cannot be guessed by asking: filters and searches look at metadata only', async () => {
    const places = ['Argument', 'Result', 'ErrorMessage', 'UnlistedTool', 'RpcId', 'ResourceQuery'];
    const questions = [
      ...places.map((place) => ({ q: secret.of(place) })),
      { tool: secret.of('UnlistedTool') },
      { server: secret.of('UnknownServer') },
    ];
    for (const who of ['admin', 'auditor', 'viewer']) {
      await inParallel(4, questions, async (question) => expect(await log(who).calls(question)).toEqual([]));
      expect((await log(who).calls({ q: clientName })).length).toBeGreaterThan(0);
    }
  });

  it('is found by an auditor’s search in payloads, and told to nobody else who searches', async () => {
    const marker = secret.of('Argument');
    const found = await log('auditor').search(marker);
    expect(found.status).toBe(200);
    expect(secret.find(found.text, 'search')).not.toEqual([]);
    for (const who of ['admin', 'viewer', 'other-viewer', 'auditor-of-nothing']) {
      const refused = await log(who).search(marker);
      expect([200, 403]).toContain(refused.status);
      expect(secret.find(everythingOf(refused), who)).toEqual([]);
      expect(refused.text).not.toContain('event: match');
    }
    // on disk at once, in the store a little later
    const kept = async (): Promise<string> => (await log('auditor').get('/api/v1/access-log?limit=1000')).text;
    await expect.poll(async () => (await kept()).includes('payload.search'), { timeout: 30_000 }).toBe(true);
    expect(secret.find(await kept(), 'access log')).toEqual([]);
  });

  it('is not in what the audit log says as an MCP server, and a payload it opens for an auditor is not kept again', async () => {
    const own = await connectClient(gatelens.mcp('gatelens'), { headers: bearer(people.of('ana')) });
    const ask = async (client: Client, name: string, args: object = {}): Promise<string> =>
      JSON.stringify(await client.callTool({ name, arguments: { ...args } }));
    const echo = calls.find((call) => call.tool === 'echo')?.id ?? '';
    const answers = [
      await ask(own.client, 'search_calls', { limit: 200 }),
      await ask(own.client, 'explain_failures', { session: 'all' }),
      await ask(own.client, 'usage_summary'),
      await ask(own.client, 'search_calls', { text: secret.of('Argument') }),
      ...(await Promise.all(calls.slice(-20).map((call) => ask(own.client, 'get_call', { id: call.id })))),
      await ask(own.client, 'get_call_payload', { id: echo }),
    ];
    expect(answers.flatMap((text, index) => secret.find(text, `answer ${index}`))).toEqual([]);
    expect(answers.some((text) => text.includes(clientName))).toBe(true);
    expect(answers.at(-1)?.includes('isError')).toBe(true);
    await own.close();

    const headers = { ...bearer(people.of('ana')), 'X-Gatelens-Audit-Token': people.of('auditor') };
    const auditor = await connectClient(gatelens.mcp('gatelens'), { headers });
    const opened = await ask(auditor.client, 'get_call_payload', { id: echo });
    expect(secret.find(opened, 'answer')).not.toEqual([]);
    await auditor.close();
    await gatelens.settled();
    const readings = await log('auditor').calls({ server: 'gatelens', operation: 'tools/call' });
    expect(readings).toHaveLength(answers.length + 1);
    for (const { id } of readings) {
      // what was searched for is an argument of the search
      const kept = await log('auditor').get(`/api/v1/calls/${id}/payload`);
      expect(secret.find(kept.text, id).filter(({ marker }) => marker !== 'Argument')).toEqual([]);
      expect(kept.text).not.toContain(people.of('auditor'));
    }
  });

  it('does not hold what strangers send to the audit API, nor does its log', async () => {
    const asked = secret.of('ApiAsked');
    const document = await log().json<{ paths: Record<string, { get?: Operation }> }>('/api/v1/openapi.json');
    const names = Object.values(document.paths).flatMap(({ get }) => get?.parameters ?? []);
    const queries = [...new Set([...names.filter((one) => one.in === 'query').map(({ name }) => name), 'unknown'])];
    const questions = [...queries.map((name) => `calls?${name}=${asked}`), asked, `calls/${asked}!`];
    for (const who of ['admin', 'auditor']) {
      await inParallel(4, questions, async (query) => {
        const answer = await log(who).get(`/api/v1/${query}`);
        expect(answer.status, query).toBeLessThan(500);
        expect(secret.find(everythingOf(answer), query)).toEqual([]);
      });
    }
    const stranger = await new AuditLog(gatelens.urls.auditApi, asked).get('/api/v1/calls');
    expect(secret.find(everythingOf(stranger), 'stranger')).toEqual([]);
  });
});

describe('what leaves the process', () => {
  it('logs no marker and no person', () => {
    for (const [name, text] of Object.entries({ stdout: gatelens.stdout, stderr: gatelens.stderr })) {
      expect(secret.find(text, name)).toEqual([]);
      expect(person.find(text, name)).toEqual([]);
      expect(visible.find(text, name)).toEqual([]);
    }
    expect(gatelens.stderr).toContain('"event":"stdio.child_exited"');
  });

  it('shows no marker and no person on /metrics', () => {
    expect(secret.find(metricsText, '/metrics')).toEqual([]);
    expect(person.find(metricsText, '/metrics')).toEqual([]);
    expect(metricsText).toMatch(/gen_ai_tool_name="echo"/);
    expect(metricsText).toMatch(/gen_ai_tool_name="\(unlisted\)"/);
  });

  it('sends mirrors no marker and no person', () => {
    const paths = new Set(collector.received.map((one) => one.path));
    expect([...paths].sort()).toEqual(['/v1/metrics', '/v1/traces']);
    const searched = (markers: Markers): Finding[] =>
      collector.received.flatMap(({ path, head, body }) => [...markers.find(body, path), ...markers.find(head, path)]);
    expect(searched(secret)).toEqual([]);
    expect(searched(person)).toEqual([]);
    expect(searched(visible).length).toBeGreaterThan(0);
  });
});

describe('what is on disk', () => {
  it('is sealed in the spool of a killed gateway', () => {
    expect(afterKill.secret).toEqual([]);
    expect(afterKill.visible.map((one) => one.where)).toContainEqual(
      expect.stringMatching(/^spool\/gateway\/.*\.spool$/)
    );
  });

  it('is sealed in every table: metadata, rollups, protected ones', async () => {
    const tables = await gatelens.rows<{ name: string }>(
      "SELECT concat(database, '.', name) AS name FROM system.tables WHERE database IN ('mcp', 'mcp_protected') ORDER BY name"
    );
    const names = tables.map((table) => table.name);
    expect(names).toEqual(expect.arrayContaining(['mcp.calls', 'mcp.otel_traces', 'mcp_protected.payload_events']));
    const shown: string[] = [];
    for (const table of [...names, 'system.errors']) {
      // refreshable views have no rows of their own, plain ones are read like tables
      const rows = await gatelens.sql(`SELECT * FROM ${table} FORMAT TSVRaw`).catch(() => Buffer.alloc(0));
      expect(secret.find(rows, table)).toEqual([]);
      const persons = person.find(rows, table).length;
      expect([table, persons > 0]).toEqual([table, table.startsWith('mcp_protected.principals')]);
      if (visible.find(rows, table).length > 0) shown.push(table);
    }
    expect(shown).toEqual(expect.arrayContaining(['mcp.calls', 'mcp.otel_traces']));
  });

  it('is sealed in every file once everything has been shipped and the gateway has ended', async () => {
    expect(await gatelens.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(secret.findInFiles(gatelens.dataDir)).toEqual([]);
    expect(secret.findInFiles(gatelens.tmpDir)).toEqual([]);
    const shown = visible.findInFiles(gatelens.dataDir).map((one) => one.where);
    expect(shown).toContainEqual(expect.stringMatching(/^store\/.*\.bin$/));
    // in mcp_protected.principals, and on the way there
    const kept = person.findInFiles(gatelens.dataDir).map((one) => one.where.split('/')[0]);
    expect(kept).toContain('store');
    expect(kept.filter((where) => where !== 'store' && where !== 'spool')).toEqual([]);
    expect(filesIn(gatelens.dataDir).length).toBeGreaterThan(100);
    rmSync(gatelens.dataDir, { recursive: true });
  });
});
