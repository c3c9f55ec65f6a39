/** `gatelens check-config`: the configuration in force, defaults filled in, secrets hidden; or all that is wrong with it. */
import { Command } from 'commander';
import { stringify } from 'yaml';
import { redactConfig } from '../config.ts';
import { findConfig, withConfigOptions, type ConfigOptions } from './common-options.ts';
import type { CliContext } from './context.ts';

export function checkConfigCommand(context: CliContext): Command {
  return withConfigOptions(new Command('check-config'))
    .description('check the configuration and print it with defaults filled in and secrets hidden')
    .action((options: ConfigOptions) => {
      const { loaded } = findConfig(options, context, false);
      context.print(stringify(redactConfig(loaded), { lineWidth: 0, aliasDuplicateObjects: false }));
      for (const warning of loaded.warnings) context.note(`Note: ${warning}.`);
      context.note(`${loaded.source} is good.`);
    });
}
