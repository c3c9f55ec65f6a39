/**
 * `gatelens migrate`: brings the store to the schema of this version, or prints what it would do. For a ClickHouse
 * server; the embedded store does the same by itself at each start, so it must not be running meanwhile.
 */
import { Command } from 'commander';
import { createLogger } from '../logger.ts';
import { findConfig, withConfigOptions, type ConfigOptions } from './common-options.ts';
import type { CliContext } from './context.ts';

interface MigrateOptions extends ConfigOptions {
  readonly dryRun?: boolean;
  readonly offline?: boolean;
}

export function migrateCommand(context: CliContext): Command {
  return withConfigOptions(new Command('migrate'))
    .description('bring the store to the schema of this version')
    .option('--dry-run', 'print the statements and change nothing')
    .option('--offline', 'print the whole schema for an empty store, without asking one')
    .addHelpText('after', '\nExample:\n  $ gatelens migrate --config gatelens.yaml --dry-run')
    .action(async (options: MigrateOptions) => {
      const { config } = findConfig(options, context, false).loaded;
      const { migrateStore } = await import('./migrate-store.ts');
      const steps = await migrateStore(config, {
        dryRun: options.dryRun ?? false,
        offline: options.offline ?? false,
        logger: createLogger(context.log, context.now),
      });
      const printed = options.dryRun === true || options.offline === true;
      if (!printed) {
        context.note(
          steps.length === 0 ? 'The store was up to date.' : `Done: ${steps.map(({ name }) => name).join(', ')}.`
        );
        return;
      }
      for (const { name, statements } of steps) context.print(`-- ${name}\n${statements.join(';\n\n')};\n\n`);
      context.note(
        steps.length === 0 ? 'The store is up to date.' : `${steps.length} step(s) to do; nothing was changed.`
      );
    });
}
