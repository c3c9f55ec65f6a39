/**
 * `gatelens serve`: starts the service, says what listens where, and ends it in order when asked to. The first SIGINT or
 * SIGTERM lets running calls end within `limits.shutdownTimeout`; a second one ends at once. Starts nothing itself.
 */
import { Command, Option } from 'commander';
import { createLogger } from '../logger.ts';
import type { Gatelens, StartOptions } from '../main.ts';
import { findConfig, withConfigOptions, type ConfigOptions } from './common-options.ts';
import type { CliContext } from './context.ts';
import { startMessage } from './start-message.ts';
import { closeInTime, stopRequests } from './stop.ts';

/** `startGatelens` of main.ts, or a stand-in in tests. */
export type StartService = (options: StartOptions) => Promise<Gatelens>;

interface ServeOptions extends ConfigOptions {
  readonly only?: 'gateway' | 'audit-api';
}

export function serveCommand(context: CliContext, version: string, startService: StartService): Command {
  return withConfigOptions(new Command('serve'))
    .description('run the gateway and the audit API')
    .addOption(new Option('--only <part>', 'run one part only').choices(['gateway', 'audit-api']))
    .addHelpText(
      'after',
      `
Without a configuration four sample servers run, callers of this machine need no key, and tokens of the audit API
are made and shown.

Examples:
  $ gatelens serve
  $ gatelens serve --config gatelens.yaml
  $ gatelens serve --mcp-config ~/.cursor/mcp.json`
    )
    .action(async (options: ServeOptions) => {
      const { loaded, quickStart } = findConfig(options, context, true);
      const stop = stopRequests(context);
      const service = await startService({
        config: loaded.config,
        logger: createLogger(context.log, context.now),
        version,
        env: context.env,
        ...(options.only === undefined ? {} : { only: options.only }),
      });
      context.print(startMessage(version, loaded, service, quickStart));
      await stop;
      await closeInTime(service, loaded.config.limits.shutdownTimeout, context);
    });
}
