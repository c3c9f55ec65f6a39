/**
 * Options that several commands share, and finding the configuration they speak of: `--config`, else gatelens.yaml in
 * the current directory, else the quick start.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { findDataDir, loadConfig, type LoadedConfig } from '../config.ts';
import type { CliContext } from './context.ts';
import { makeQuickStartFiles, quickStartDefaults, type QuickStartTokens } from './quick-start.ts';

export interface ConfigOptions {
  readonly config?: string;
  readonly mcpConfig?: string;
  readonly dataDir?: string;
}

const FILE_NAMES = ['gatelens.yaml', 'gatelens.yml'];

export function withConfigOptions(command: Command): Command {
  return command
    .addOption(new Option('-c, --config <file>', 'configuration; default: gatelens.yaml here, else a quick start'))
    .addOption(new Option('--mcp-config <file>', "take the servers of an MCP client's file (mcpServers or servers)"))
    .addOption(new Option('--data-dir <dir>', 'in place of dataDir of the configuration'));
}

export function withDataDirOptions(command: Command): Command {
  return command
    .addOption(new Option('-c, --config <file>', 'configuration that names the data directory'))
    .addOption(new Option('--data-dir <dir>', 'data directory; default: .gatelens here'));
}

export interface FoundConfig {
  readonly loaded: LoadedConfig;
  /** the quick start is in force, and these are its tokens */
  readonly quickStart?: QuickStartTokens;
}

/**
 * @param makeFiles whether the quick start may make its files; without them it is only looked at
 * Throws ConfigError, or `data_dir_unusable` when the quick start cannot make its files.
 */
export function findConfig(options: ConfigOptions, context: CliContext, makeFiles: boolean): FoundConfig {
  const { env, cwd, nodePath } = context;
  const file = configFile(options, cwd);
  const shared = {
    env,
    cwd,
    ...(options.mcpConfig === undefined ? {} : { mcpConfigFile: options.mcpConfig }),
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
  };
  if (file !== undefined) return { loaded: loadConfig({ file, ...shared }) };
  const start = { dataDir: findDataDir(shared), nodePath, withServers: options.mcpConfig === undefined };
  const withoutTokens = loadConfig({ defaults: quickStartDefaults(start, undefined), ...shared });
  if (!makeFiles) return { loaded: withoutTokens };
  const quickStart = makeQuickStartFiles(start);
  return { loaded: loadConfig({ defaults: quickStartDefaults(start, quickStart), ...shared }), quickStart };
}

export function dataDirOf(options: Pick<ConfigOptions, 'config' | 'dataDir'>, { env, cwd }: CliContext): string {
  const file = configFile(options, cwd);
  return findDataDir({
    env,
    cwd,
    ...(file === undefined ? {} : { file }),
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
  });
}

function configFile({ config }: Pick<ConfigOptions, 'config'>, cwd: string): string | undefined {
  return config ?? FILE_NAMES.find((name) => existsSync(join(cwd, name)));
}
