import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, redactConfig, type LoadOptions } from '../config.ts';

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'gatelens-config-'))));
afterAll(() => rmSync(directory, { recursive: true }));

const HASH = 'a'.repeat(64);
const SERVERS = 'mcpServers: { docs: { url: https://mcp.example.com/mcp } }\n';

function load(yaml: string, more: Partial<LoadOptions> = {}) {
  writeFileSync(join(directory, 'gatelens.yaml'), yaml);
  return loadConfig({ file: 'gatelens.yaml', env: {}, cwd: directory, ...more });
}

function mistakesIn(yaml: string, more: Partial<LoadOptions> = {}) {
  try {
    load(yaml, more);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe('a configuration file', () => {
  it('fills in defaults that keep everything on this machine', () => {
    const { config } = load(SERVERS);
    expect(config.listen).toEqual({
      mcp: { host: '127.0.0.1', port: 8080 },
      auditApi: { host: '127.0.0.1', port: 8081 },
      metrics: { host: '127.0.0.1', port: 9464 },
      store: { host: '127.0.0.1', port: 8123 },
    });
    expect(config.auth.anonymous).toBe(false);
    expect(config.policy).toEqual([{ allow: true, users: ['*'], servers: ['*'], tools: ['*'], methods: ['*'] }]);
    expect(config.dataDir).toBe(join(directory, '.gatelens'));
  });

  it('turns durations, sizes and addresses into numbers', () => {
    const { config } = load(
      `${SERVERS}retention: { payloads: 12w, traces: 1.5d }\nlimits: { bodyBytes: 1.5MiB, requestTimeout: 90s }\nlisten: { mcp: '[::1]:0' }`
    );
    expect(config.retention.payloads).toBe(84 * 86_400_000);
    expect(config.retention.traces).toBe(36 * 3_600_000);
    expect(config.limits.bodyBytes).toBe(1_572_864);
    expect(config.limits.requestTimeout).toBe(90_000);
    expect(config.listen.mcp).toEqual({ host: '::1', port: 0 });
  });

  it('is frozen to the last leaf', () => {
    const { config } = load(SERVERS);
    expect(() => (config.policy as unknown[]).push({})).toThrow(TypeError);
    expect(() => Object.assign(config.mcpServers.docs ?? {}, { url: 'https://evil.example' })).toThrow(TypeError);
  });

  it('reports every mistake at once, with path, line and what to do', () => {
    const found = mistakesIn(`
listen: { mcp: 0.0.0.0:8080, auditApi: 127.0.0.1:9464 }
mcpServer: {}
mcpServers:
  a: { comand: npx }
  gatelens: { url: https://mcp.example.com }
  'bad name': { command: x }
auth: { jwt: { issuer: http://idp.example.com, audience: gatelens }, anonymous: true }
policy: [{ alow: true, users: [] }]
capture: { default: everything, maxBytes: 5x }
audit:
store: { url: 'http://u:p@h', password: '\${NOPE}' }
`);
    expect(found.map(({ path, line }) => `${path}@${line}`).sort()).toEqual(
      [
        'mcpServer@3',
        'mcpServers.a.command@5',
        'mcpServers.a.comand@5',
        'mcpServers["bad name"]@7',
        'auth.jwt.issuer@8',
        'auth.anonymous@8',
        'policy[0].allow@9',
        'policy[0].alow@9',
        'policy[0].users@9',
        'capture.default@10',
        'capture.maxBytes@10',
        'audit@11',
        'store.url@12',
        'store.password@12',
        'listen.metrics@2',
      ].sort()
    );
    for (const { message, remedy } of found) expect(`${message} ${remedy}`.length).toBeGreaterThan(10);
    expect(found.find(({ path }) => path === 'mcpServers.a.comand')?.remedy).toContain('`command`');
  });

  it.each([
    ['listen: { mcp: 0.0.0.0:8080 }', 'listen.mcp', 'no authentication'],
    ['listen: { mcp: gateway.internal:8080 }', 'listen.mcp', 'no authentication'],
    ["listen: { mcp: '[::]:8080' }", 'listen.mcp', 'no authentication'],
    ['listen: { auditApi: 0.0.0.0:8081 }', 'listen.auditApi', 'nobody can authenticate'],
    ['listen: { metrics: 0.0.0.0:9464 }', 'listen.metrics', 'without a token'],
    ['listen: { store: 0.0.0.0:8123 }', 'listen.store', 'loopback'],
    ['listen: { mcp: 9464 }', 'listen.mcp', '127.0.0.1:8080'],
    ['listen: { mcp: localhost }', 'listen.mcp', 'host:port'],
    ['listen: { mcp: 127.0.0.1:99999 }', 'listen.mcp', 'host:port'],
    ['listen: { mcp: localhost:8081 }', 'listen.auditApi', 'same port'],
    [
      'listen: { mcp: 0.0.0.0:8080 }\nauth: { anonymous: true }',
      'auth.anonymous',
      'anybody who reaches it could call every tool',
    ],
    ['http: { publicUrl: https://gw.example.com }\nauth: { anonymous: true }', 'auth.anonymous', 'publicUrl'],
    ['auth: { jwt: { issuer: https://idp.example.com } }', 'auth.jwt.audience', 'missing'],
    ['auth: { jwt: { audience: gatelens } }', 'auth.jwt.issuer', 'missing'],
    [
      'auth: { jwt: { issuer: https://i.example, audience: a, algorithms: [HS256] } }',
      'auth.jwt.algorithms[0]',
      'none of',
    ],
    [
      'auth: { jwt: { issuer: https://i.example, audience: a, algorithms: [none] } }',
      'auth.jwt.algorithms[0]',
      'none of',
    ],
    [`auth: { apiKeys: [{ name: anonymous, sha256: ${HASH} }] }`, 'auth.apiKeys[0].name', 'anonymous'],
    [`auth: { apiKeys: [{ name: ci, sha256: '${'A'.repeat(64)}' }] }`, 'auth.apiKeys[0].sha256', 'lower case'],
    [
      `auth: { apiKeys: [{ name: ci, sha256: ${HASH} }, { name: ci, sha256: ${'b'.repeat(64)} }] }`,
      'auth.apiKeys[1].name',
      'above',
    ],
    [`auth: { apiKeys: [{ name: ci, sha256: ${HASH}, expires: soon }] }`, 'auth.apiKeys[0].expires', 'no date'],
    [`auditApi: { tokens: [{ name: t, role: viewer, sha256: ${HASH} }] }`, 'auditApi.tokens[0].user', 'own calls only'],
    [`auditApi: { tokens: [{ name: t, role: root, sha256: ${HASH} }] }`, 'auditApi.tokens[0].role', '`auditor`'],
    ["encryption: { active: '2026-11', publicKeys: {} }", 'encryption.active', 'publicKeys'],
    ['otlp: { metadata: { url: http://c:4318 } }', 'otlp.payloads', 'both or neither'],
    ['store: { url: http://c:8123 }', 'otlp.metadata', 'Collector'],
    ['mcpServers: { old: { type: websocket, url: https://h/ws } }', 'mcpServers.old.type', '`sse`'],
    [
      'otlp: { metadata: { url: http://c:4318 }, payloads: { url: http://c:4318/ } }',
      'otlp.payloads.url',
      'receiver of their own',
    ],
    [
      'otlp: { metadata: { url: http://c:4318, token: same }, payloads: { url: http://c:4319, token: same } }',
      'otlp.payloads.token',
      'token of their own',
    ],
    [
      'otlp: { metadata: { url: http://c:4318 }, payloads: { url: http://c:4319 }, mirrors: [{ url: http://c:4318 }] }',
      'otlp.mirrors[0].url',
      '4320',
    ],
    ['retention: { payloads: 90 }', 'retention.payloads', '90d'],
    ['retention: { payloads: 1h }', 'retention.payloads', '1d'],
    ['usage: { cost: { currency: EUR } }', 'usage.cost.perMillionTokens', 'is missing'],
    ['usage: { cost: { currency: euro, perMillionTokens: 3 } }', 'usage.cost.currency', 'EUR'],
    ['usage: { cost: { currency: EUR, perMillionTokens: -1 } }', 'usage.cost.perMillionTokens', 'less than 0'],
    [
      'usage: { cost: { currency: EUR, perMillionTokens: 1, rules: [{ tool: a, perMillionTokens: 0.0000001 }] } }',
      'usage.cost.rules[0].perMillionTokens',
      'six decimals',
    ],
    ['capture: { rules: [{ server: hr, mode: ful }] }', 'capture.rules[0].mode', '`full`'],
    ['dataDir:', 'dataDir', 'text'],
    ["listen: { mcp: '${PORT}' }", 'listen.mcp', 'PORT'],
    ["metrics: { token: '${input:token}' }", 'metrics.token', 'editor'],
  ])('refuses %s', (yaml, path, words) => {
    const found = mistakesIn(`${yaml.startsWith('mcpServers') ? '' : SERVERS}${yaml}\n`);
    const mistake = found.find((one) => one.path === path);
    expect(mistake, JSON.stringify(found)).toBeDefined();
    expect(`${mistake?.message} ${mistake?.remedy}`).toContain(words);
  });

  it.each([
    ['an api key', `auth: { apiKeys: [{ name: ci, sha256: ${HASH} }] }`],
    ['tokens of an issuer', 'auth: { jwt: { issuer: https://i.example, audience: a } }'],
  ])('listens wider once %s is configured', (_, yaml) => {
    expect(load(`${SERVERS}listen: { mcp: 0.0.0.0:8080 }\n${yaml}`).config.listen.mcp.host).toBe('0.0.0.0');
  });

  it('listens wider once a key was made in the data directory', () => {
    const dataDir = join(directory, 'with-key');
    mkdirSync(join(dataDir, 'keys'), { recursive: true });
    const yaml = `${SERVERS}dataDir: ./with-key\nlisten: { mcp: 0.0.0.0:8080 }`;
    writeFileSync(join(dataDir, 'keys/api-keys.json'), '{"version":1,"credentials":[]}');
    expect(mistakesIn(yaml).map(({ path }) => path)).toEqual(['listen.mcp']);
    const key = { name: 'ci', sha256: HASH, createdAt: '2026-01-01T00:00:00.000Z' };
    writeFileSync(join(dataDir, 'keys/api-keys.json'), JSON.stringify({ version: 1, credentials: [key] }));
    expect(mistakesIn(yaml)).toEqual([]);
    const revoked = { ...key, revokedAt: '2026-01-02T00:00:00.000Z' };
    writeFileSync(join(dataDir, 'keys/api-keys.json'), JSON.stringify({ version: 1, credentials: [revoked] }));
    expect(mistakesIn(yaml).map(({ path }) => path)).toEqual(['listen.mcp']);
  });

  it.each([
    ['not a map', '- 1\n', 'not a map'],
    ['empty', '', 'mcpServers'],
    ['tabs', 'listen:\n\tmcp: 1\n', 'line 2'],
    ['the same key twice', 'auth: {}\nauth: {}\n', 'twice'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'document'],
    [
      'aliases without end',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]\n`,
      'aliases',
    ],
    ['binary rubbish', '\u0000\u0001{{{', 'not a map'],
  ])('says what is wrong with a file that is %s', (_, yaml, words) => {
    expect(() => load(yaml)).toThrow(words);
  });

  it('never repeats a value in a message: it may be a secret in the wrong place', () => {
    const canary = 'CANARY-s3cret';
    const broken = [
      `${SERVERS}listen: { mcp: ${canary} }`,
      `${SERVERS}capture: { default: ${canary}, maxBytes: ${canary} }`,
      `${SERVERS}store: { url: '${canary}', password: [${canary}] }`,
      `${SERVERS}store: { url: 'https://${canary}:x@host' }`,
      `${SERVERS}metrics: { token: ${canary} `,
      `${SERVERS}metrics: { token: "${canary}`,
      `${SERVERS}metrics: { token: *${canary} }`,
      `${SERVERS}metrics: !!${canary} x`,
      `${SERVERS}policy: ${canary}`,
      `${SERVERS}auth: { apiKeys: [{ name: '${canary} ', sha256: ${canary} }] }`,
      `${SERVERS}metrics: { token: '\${${canary}}' }`,
    ];
    for (const yaml of broken) {
      let message = '';
      try {
        load(yaml);
      } catch (error) {
        message = String(error);
      }
      expect(message, yaml).toContain('mistake');
      expect(message, yaml).not.toContain(canary);
    }
  });
});

describe('environment variables', () => {
  it('are put into texts, with defaults and a way to write the characters themselves', () => {
    const { config } = load(
      'mcpServers: { d: { url: "https://${HOST}/mcp", headers: { A: "Bearer ${TOKEN}", B: "${NONE:-fall back}", C: "$${TOKEN}", D: "${env:TOKEN}" } } }',
      { env: { HOST: 'mcp.example.com', TOKEN: 'a: {b}' } }
    );
    expect(config.mcpServers.d).toMatchObject({
      url: 'https://mcp.example.com/mcp',
      headers: { A: 'Bearer a: {b}', B: 'fall back', C: '${TOKEN}', D: 'a: {b}' },
    });
  });

  it('are not expanded twice, so a value cannot pull in another', () => {
    const { config } = load('mcpServers: { d: { url: https://h, headers: { A: "${ONE}" } } }', {
      env: { ONE: '${TWO}', TWO: 'secret' },
    });
    expect(config.mcpServers.d).toMatchObject({ headers: { A: '${TWO}' } });
  });

  it('do not reach into the prototype of the environment', () => {
    expect(mistakesIn('mcpServers: { d: { url: https://h, headers: { A: "${constructor}" } } }')[0]?.message).toContain(
      'not set'
    );
  });
});

describe('the printed configuration', () => {
  it('shows no secret, wherever it was written, and names the variables', () => {
    const canary = 'CANARY-s3cret-value-that-is-long-enough';
    const loaded = load(
      `
mcpServers:
  a: { command: npx, args: [--token, ${canary}, '--key=\${FROM_ENV}'], env: { KEY: ${canary}, MIXED: '${canary}-\${FROM_ENV}' } }
  b: { url: 'https://h/mcp?key=${canary}#${canary}', headers: { Authorization: 'Bearer \${FROM_ENV}', X: '\${FROM_ENV:-${canary}}' } }
auth: { jwt: { issuer: https://i.example, audience: a } }
encryption: { active: k, publicKeys: { k: pub }, privateKeys: { k: ${canary} }, pseudonymKey: ${canary} }
store: { url: http://127.0.0.1:8123, password: ${canary} }
otlp:
  metadata: { url: http://127.0.0.1:4318, token: ${canary}1 }
  payloads: { url: http://127.0.0.1:4319, token: ${canary}2 }
  mirrors: [{ url: https://m.example, headers: { A: ${canary} }, token: ${canary} }]
metrics: { token: ${canary}, otlp: { url: https://m.example, headers: { A: ${canary} } } }
auditApi: { grafana: { url: https://g.example, routeSecret: ${canary}, serviceAccountToken: ${canary} } }
`,
      { env: { FROM_ENV: canary } }
    );
    const shown = JSON.stringify(redactConfig(loaded));
    expect(shown).not.toContain('CANARY');
    expect(shown).toContain('Bearer ${FROM_ENV}');
    expect(shown).toContain('"payloads":"90d"');
  });
});

describe("an MCP client's file", () => {
  const withClientFile = (content: unknown, more: Partial<LoadOptions> = {}) => {
    writeFileSync(join(directory, 'mcp.json'), typeof content === 'string' ? content : JSON.stringify(content));
    return loadConfig({ mcpConfigFile: 'mcp.json', env: { KEY: 'k' }, cwd: directory, ...more });
  };

  it('is taken as Claude, Cursor and others write it, also beside a file of our own', () => {
    writeFileSync(join(directory, 'own.yaml'), `${SERVERS}listen: { mcp: 127.0.0.1:0 }`);
    const { config, warnings } = withClientFile(
      {
        mcpServers: {
          files: { command: 'npx', args: ['-y', 'x'], env: { A: '${KEY}' }, autoApprove: ['read'], timeout: 60 },
          web: { type: 'streamable-http', url: 'https://h/mcp', oauth: { clientId: 'x' } },
          windsurf: { serverUrl: 'https://w/mcp' },
          off: { command: 'x', disabled: true },
          old: { type: 'sse', url: 'https://h/sse' },
        },
      },
      { file: 'own.yaml' }
    );
    expect(Object.keys(config.mcpServers).sort()).toEqual(['docs', 'files', 'old', 'web', 'windsurf']);
    expect(config.mcpServers.old).toMatchObject({ type: 'sse', url: 'https://h/sse' });
    expect(config.mcpServers.files).toMatchObject({ type: 'stdio', env: { A: 'k' } });
    expect(config.mcpServers.web).toMatchObject({ type: 'http', url: 'https://h/mcp' });
    expect(warnings.join('\n')).toMatch(/"web": ignored oauth[\s\S]*"off".*left out/);
  });

  it('is taken as VS Code writes it, comments aside, and says what only an editor can fill in', () => {
    const { config } = withClientFile({
      servers: { gh: { type: 'http', url: 'https://h', headers: { A: '${env:KEY}' } } },
    });
    expect(config.mcpServers.gh).toMatchObject({ headers: { A: 'k' } });
    expect(() =>
      withClientFile({
        inputs: [],
        servers: { gh: { type: 'http', url: 'https://h', headers: { A: '${input:token}' } } },
      })
    ).toThrow(/mcpServers\.gh\.headers\.A.*only an editor/);
  });

  it.each([
    ['no servers in it', {}, 'no `mcpServers`'],
    ['a server that is neither', { mcpServers: { a: {} } }, 'mcpServers.a.command is missing'],
    ['rubbish in it', '{"mcpServers": {', 'line 1'],
  ])('with %s is refused', (_, content, words) => {
    expect(() => withClientFile(content)).toThrow(words);
  });

  it('that does not exist is said so', () => {
    expect(() => loadConfig({ mcpConfigFile: 'nowhere.json', env: {}, cwd: directory })).toThrow('does not exist');
  });
});
