/** The one-way boundaries of the gateway. Each rule names what a folder may reach; everything else is refused. */
const src = '^gateway/src/';

/** @param {string} name @param {string[]} reach */
function only(name, reach) {
  return {
    name: `${name}-reaches-only-${reach.join('-') || 'itself'}`,
    severity: 'error',
    from: { path: `${src}${name}/`, pathNot: '\\.test\\.ts$' },
    to: {
      path: src,
      pathNot: [`${src}${name}/`, ...reach.map((one) => `${src}${one}(/|\\.ts$)`)],
    },
  };
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    only('record', ['errors']),
    only('mcp', ['record', 'errors', 'logger']),
    only('access', ['record', 'errors', 'logger', 'private-directory', 'mcp/observer', 'protection/seams']),
    only('protection', ['record', 'errors', 'logger', 'private-directory', 'mcp/observer']),
    only('spool', ['record', 'errors', 'logger']),
    only('telemetry', [
      'record',
      'errors',
      'logger',
      'mcp/observer',
      'access/principal',
      'protection/seams',
      'spool/spool',
    ]),
    only('http', ['mcp', 'access', 'record', 'errors', 'logger']),
    only('store', ['record', 'errors', 'logger', 'private-directory']),
    only('verify', ['store/queries', 'record', 'errors', 'logger']),
    only('exports', ['store', 'protection', 'record', 'errors', 'logger']),
    only('audit-api', [
      'exports',
      'store',
      'access',
      'protection',
      'tool-drift/tool-list',
      'record',
      'errors',
      'logger',
    ]),
    only('demo', [
      'assembly',
      'config',
      'access',
      'protection/(keyring|pseudonyms|seams)',
      'telemetry/(call-observer|clock)',
      'mcp/observer',
      'record',
      'errors',
      'logger',
    ]),
    only('tool-drift', ['mcp/observer', 'record', 'logger']),
    only('mcp-server', ['audit-api', 'mcp', 'record', 'errors', 'logger']),
    // inside mcp: what a call is; how bytes become messages; the relay to URLs; bridges to what has sessions of its own
    {
      name: 'mcp-scan-knows-no-transport',
      severity: 'error',
      from: { path: `${src}mcp/scan/` },
      to: { path: `${src}mcp/(relay|bridge)/` },
    },
    {
      name: 'mcp-relay-knows-no-bridge',
      severity: 'error',
      from: { path: `${src}mcp/relay/` },
      to: { path: `${src}mcp/bridge/` },
    },
    {
      name: 'what-a-call-is-knows-no-transport',
      severity: 'error',
      from: { path: `${src}mcp/[^/]+$`, pathNot: '\\.test\\.ts$' },
      to: { path: `${src}mcp/(scan|relay|bridge)/` },
    },
    {
      name: 'only-sdk-imports-the-otel-sdk',
      severity: 'error',
      from: { path: src, pathNot: [`${src}telemetry/sdk\\.ts$`, '\\.test\\.ts$'] },
      to: { path: '@opentelemetry/(sdk-|exporter-)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'mcp-knows-no-hono',
      severity: 'error',
      from: { path: `${src}(mcp|mcp-server|record|spool|protection|telemetry)/` },
      to: { path: 'node_modules/(@hono|hono)/' },
    },
    {
      name: 'nobody-imports-main-but-the-cli',
      severity: 'error',
      from: { path: src, pathNot: [`${src}cli`, `${src}main`, '\\.test\\.ts$'] },
      to: { path: `${src}main\\.ts$` },
    },
  ],
  options: {
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: 'node_modules' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
