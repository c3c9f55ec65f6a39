/**
 * `gatelens serve`: starts the service, says what listens where, and ends it in order when asked to. The first SIGINT or
 * SIGTERM lets running calls end within `limits.shutdownTimeout`; a second one ends at once. SIGHUP reads the
 * configuration again. Starts nothing itself.
 */
import { Command, Option } from 'commander';
import type { GatelensConfig } from '../config.ts';
import { createLogger } from '../logger.ts';
import type { Gatelens, StartOptions } from '../main.ts';
import { findConfig, withConfigOptions, type ConfigOptions } from './common-options.ts';
import type { CliContext } from './context.ts';
import type { Pages, StartPages } from './pages.ts';
import { reloadRequests } from './reload.ts';
import { startMessage } from './start-message.ts';
import { closeInTime, stopRequests } from './stop.ts';

/** `startGatelens` of main.ts, or a stand-in in tests. */
export type StartService = (options: StartOptions) => Promise<Gatelens>;

interface ServeOptions extends ConfigOptions {
  readonly only?: 'gateway' | 'audit-api';
}

export function serveCommand(
  context: CliContext,
  version: string,
  startService: StartService,
  startPages: StartPages
): Command {
  return withConfigOptions(new Command('serve'))
    .description('run the gateway and the audit API')
    .addOption(new Option('--only <part>', 'run one part only').choices(['gateway', 'audit-api']))
    .addHelpText(
      'after',
      `
Without a configuration four sample servers run, callers of this machine need no key, and tokens of the audit API
are made and shown. The pages are shown too, in a stand-in for Grafana, where they are built.

SIGHUP reads the configuration again: servers, policy, API keys and tokens, rate limits and capture rules change while
calls and sessions of other servers go on.

Examples:
  $ gatelens serve
  $ gatelens serve --config gatelens.yaml
  $ gatelens serve --mcp-config ~/.cursor/mcp.json`
    )
    .action(async (options: ServeOptions) => {
      const { loaded, quickStart } = findConfig(options, context, true);
      const stop = stopRequests(context);
      // a stand-in in which everybody can be an Auditor is for trying out only
      const pages = quickStart === undefined || options.only !== undefined ? undefined : await startPages();
      const serving = reloadRequests(context, () => withPages(findConfig(options, context, true).loaded.config, pages));
      const service = await startService({
        config: withPages(loaded.config, pages),
        logger: createLogger(context.log, context.now),
        version,
        env: context.env,
        ...(options.only === undefined ? {} : { only: options.only }),
      });
      serving(service);
      if (service.urls.auditApi !== undefined) pages?.provision(service.urls.auditApi);
      context.print(startMessage(version, loaded, { ...service, pagesUrl: pages?.url }, quickStart));
      await stop;
      await pages?.close();
      await closeInTime(service, loaded.config.limits.shutdownTimeout, context);
    });
}

/** The audit API believes the stand-in's tokens; nothing else changes. */
function withPages(config: GatelensConfig, pages: Pages | undefined): GatelensConfig {
  if (pages === undefined) return config;
  return { ...config, auditApi: { ...config.auditApi, grafana: pages.grafana } };
}
