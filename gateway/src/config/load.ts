/**
 * From files and environment to a checked, frozen configuration. Pure but for reading the named files and looking
 * whether keys were made in the data directory; starts nothing, writes nothing. Every mistake is reported at once.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { expandEnvironment, type Environment } from './expand-env.ts';
import { serversOfClientFile } from './mcp-config-file.ts';
import { ConfigError, formatPath, mistakesOf, type ConfigMistake, type FoundMistake } from './mistakes.ts';
import { parseConfigText, readConfigText, type ReadFile } from './read-file.ts';
import { checkRules } from './rules.ts';
import { configSchema, type GatelensConfig } from './schema.ts';
import type { Path } from './schema-tree.ts';

export interface LoadedConfig {
  readonly config: GatelensConfig;
  /** the file it came from, or a word for it */
  readonly source: string;
  /** things that work but should be known, a sentence each */
  readonly warnings: readonly string[];
  /** JSON of a path → text as written, for values put in from the environment */
  readonly written: ReadonlyMap<string, string>;
}

export interface LoadOptions {
  /** YAML or JSON; relative to `cwd` */
  readonly file?: string;
  /** an MCP client's file; its servers come in addition to those of `file` */
  readonly mcpConfigFile?: string;
  /** in place of `dataDir` of the file; relative to `cwd` */
  readonly dataDir?: string;
  /** used when there is no `file` */
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  readonly cwd: string;
}

/** Throws ConfigError (`config_invalid`) with all mistakes. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { env, cwd, mcpConfigFile } = options;
  const file = options.file === undefined ? undefined : resolve(cwd, options.file);
  const main = file === undefined ? undefined : parseConfigText(options.file ?? file, readConfigText(file));
  const base = main === undefined ? (options.defaults ?? {}) : (main.value ?? {});
  const files = [options.file, mcpConfigFile].filter((one) => one !== undefined);
  const source = files.length === 0 ? 'the built-in configuration' : files.join(' with ');
  if (!isMap(base)) {
    const remedy = 'Begin with e.g. `mcpServers:`.';
    throw new ConfigError(source, [{ path: '', message: 'is not a map of settings', remedy }]);
  }
  const client = mcpConfigFile === undefined ? undefined : readClientFile(mcpConfigFile, cwd);
  const { input, warnings } = client === undefined ? { input: base, warnings: [] } : withClientServers(base, client);
  return parseConfig(input, {
    source,
    env,
    baseDir: file === undefined ? cwd : dirname(file),
    ...(options.dataDir === undefined ? {} : { dataDir: resolve(cwd, options.dataDir) }),
    lineOf: (path) => (isOfClient(path, client) ? undefined : main?.lineOf(path)),
    warnings: [...(client?.warnings ?? []), ...warnings],
  });
}

interface ClientFile {
  readonly name: string;
  readonly servers: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

function withClientServers(base: Readonly<Record<string, unknown>>, { name, servers }: ClientFile) {
  const own = base.mcpServers ?? {};
  if (!isMap(own)) return { input: base, warnings: [] };
  const twice = Object.keys(servers).filter((server) => Object.hasOwn(own, server));
  const warnings = twice.map(
    (server) => `server ${JSON.stringify(server)} is taken from ${name}, not from the configuration`
  );
  return { input: { ...base, mcpServers: { ...own, ...servers } }, warnings };
}

function isOfClient(path: Path, client: ClientFile | undefined): boolean {
  const [section, server] = path;
  return client !== undefined && section === 'mcpServers' && Object.hasOwn(client.servers, server ?? '');
}

/**
 * Where the data directory is, and nothing else: making the first key must work while the rest of the file still needs
 * it, or needs variables that only the service has.
 */
export function findDataDir(options: Omit<LoadOptions, 'defaults' | 'mcpConfigFile'>): string {
  if (options.dataDir !== undefined) return resolve(options.cwd, options.dataDir);
  if (options.file === undefined) return resolve(options.cwd, DEFAULT_DATA_DIR);
  const file = resolve(options.cwd, options.file);
  const read = parseConfigText(options.file, readConfigText(file));
  const written = isMap(read.value) ? { dataDir: read.value.dataDir ?? DEFAULT_DATA_DIR } : {};
  const { value, mistakes } = expandEnvironment(written, options.env);
  if (mistakes.length > 0)
    throw new ConfigError(
      options.file,
      mistakes.map((one) => located(one, read.lineOf))
    );
  const result = configSchema.shape.dataDir.safeParse(isMap(value) ? value.dataDir : undefined);
  if (result.success) return resolve(dirname(file), result.data);
  const found = mistakesOf(configSchema, result.error.issues, ['dataDir']);
  throw new ConfigError(
    options.file,
    found.map((one) => located(one, read.lineOf))
  );
}

const DEFAULT_DATA_DIR = './.gatelens';

export interface ParseOptions {
  readonly source: string;
  readonly env: Environment;
  /** what relative paths are relative to */
  readonly baseDir: string;
  readonly dataDir?: string;
  readonly lineOf?: ReadFile['lineOf'];
  readonly warnings?: readonly string[];
}

/** The same for data that is already parsed. */
export function parseConfig(input: Readonly<Record<string, unknown>>, options: ParseOptions): LoadedConfig {
  const expansion = expandEnvironment(input, options.env);
  const expanded = isMap(expansion.value) ? expansion.value : {};
  const prepared = {
    ...expanded,
    ...('mcpServers' in expanded ? { mcpServers: withTypes(expanded.mcpServers) } : {}),
  };
  const { parsed, mistakes: invalid } = parseSections(prepared);
  const dataDir = resolve(options.baseDir, options.dataDir ?? parsed.dataDir ?? DEFAULT_DATA_DIR);
  const placed = placePaths({ ...parsed, dataDir }, options.baseDir);
  const context = {
    hasStoredApiKeys: hasEntries(resolve(dataDir, 'keys/api-keys.json')),
    hasStoredAuditTokens: hasEntries(resolve(dataDir, 'keys/audit-tokens.json')),
  };
  const all = onePerPath([...expansion.mistakes, ...invalid, ...checkRules(placed, context)]);
  if (all.length > 0 || !isComplete(placed)) {
    const mistakes = all.map((one) => located(one, options.lineOf));
    throw new ConfigError(options.source, mistakes);
  }
  return {
    config: deepFreeze(placed),
    source: options.source,
    warnings: [...(options.warnings ?? []), ...warningsFor(placed, context.hasStoredApiKeys)],
    written: expansion.written,
  };
}

/** Each section on its own, so that a mistake in one does not hide those of another. */
function parseSections(input: Readonly<Record<string, unknown>>): {
  parsed: Partial<GatelensConfig>;
  mistakes: FoundMistake[];
} {
  const parsed: Record<string, unknown> = {};
  const mistakes: FoundMistake[] = [];
  for (const [key, section] of Object.entries(configSchema.shape)) {
    if (!Object.hasOwn(input, key) && section instanceof z.ZodExactOptional) continue;
    const result = section.safeParse(Object.hasOwn(input, key) ? input[key] : undefined);
    if (result.success) parsed[key] = result.data;
    else mistakes.push(...mistakesOf(configSchema, result.error.issues, [key]));
  }
  const unknown = Object.keys(input).filter((key) => !Object.hasOwn(configSchema.shape, key));
  if (unknown.length > 0) {
    mistakes.push(...mistakesOf(configSchema, [{ code: 'unrecognized_keys', keys: unknown, path: [], message: '' }]));
  }
  return { parsed: parsed, mistakes };
}

function isComplete(config: Partial<GatelensConfig>): config is GatelensConfig {
  return config.mcpServers !== undefined && config.listen !== undefined && config.auth !== undefined;
}

/** Clients leave `type` out, or spell it `streamable-http`. */
function withTypes(servers: unknown): unknown {
  if (!isMap(servers)) return servers;
  return Object.fromEntries(
    Object.entries(servers).map(([name, entry]) => {
      if (!isMap(entry)) return [name, entry];
      if (entry.type === undefined)
        return [name, { type: 'command' in entry || !('url' in entry) ? 'stdio' : 'http', ...entry }];
      if (entry.type === 'streamable-http' || entry.type === 'streamableHttp')
        return [name, { ...entry, type: 'http' }];
      return [name, entry];
    })
  );
}

function placePaths(config: Partial<GatelensConfig>, baseDir: string): Partial<GatelensConfig> {
  if (config.mcpServers === undefined) return config;
  const mcpServers = Object.fromEntries(
    Object.entries(config.mcpServers).map(([name, server]) => [
      name,
      server.type === 'stdio' && server.cwd !== undefined ? { ...server, cwd: resolve(baseDir, server.cwd) } : server,
    ])
  );
  return { ...config, mcpServers };
}

function warningsFor(config: GatelensConfig, hasStoredApiKeys: boolean): string[] {
  const warnings: string[] = [];
  const { auth, auditApi, otlp, store } = config;
  if (Object.keys(config.mcpServers).length === 0) warnings.push('mcpServers is empty: there is nothing to call');
  if (!auth.anonymous && auth.apiKeys.length === 0 && auth.jwt === undefined && !hasStoredApiKeys) {
    warnings.push('nobody can call yet: make a key with `gatelens api-keys create --name <name> --user <e-mail>`');
  }
  if (otlp.metadata !== undefined && store === undefined) {
    warnings.push(
      'otlp is set but store.url is not: records go to the collector, while the audit API reads the embedded store'
    );
  }
  if (auditApi.grafana !== undefined) {
    warnings.push('auditApi.grafana is checked but has no effect in this version: only tokens open the audit API');
  }
  return warnings;
}

function readClientFile(file: string, cwd: string): ClientFile {
  const read = parseConfigText(file, readConfigText(resolve(cwd, file)));
  const { servers, mistakes, warnings } = serversOfClientFile(read.value);
  if (mistakes.length > 0) {
    const found = mistakes.map((one) => located(one, read.lineOf));
    throw new ConfigError(file, found);
  }
  return { name: file, servers, warnings };
}

/** An unreadable file counts as none: the listener is then refused, not opened. */
function hasEntries(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const credentials: unknown = isMap(content) ? content.credentials : undefined;
    return Array.isArray(credentials) && credentials.some((one) => isMap(one) && one.revokedAt === undefined);
  } catch {
    return false;
  }
}

/** The first finding about a path explains the later ones. */
function onePerPath(mistakes: readonly FoundMistake[]): FoundMistake[] {
  const seen = new Set<string>();
  return mistakes.filter(({ at }) => {
    const key = JSON.stringify(at);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function located(
  { at, message, remedy }: FoundMistake,
  lineOf: ((path: Path) => number | undefined) | undefined
): ConfigMistake {
  const line = lineOf?.(at);
  return { path: formatPath(at), message, remedy, ...(line === undefined ? {} : { line }) };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
