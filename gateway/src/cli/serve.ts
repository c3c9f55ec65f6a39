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
Without a configuration three sample servers run, callers of this machine need no key, and tokens of the audit API
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

/** npm and terminals often send the same signal twice; that is no second request. */
const SAME_REQUEST_MS = 500;

/** Resolves at the first signal; a later one ends the process, also while it is still starting. */
function stopRequests(context: CliContext): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    context.onSignal((signal) => {
      const nowMs = context.now().getTime();
      if (firstAtMs === undefined) {
        firstAtMs = nowMs;
        context.note(`Stopping on ${signal}: running calls may end first. Once more to stop at once.`);
        resolve();
      } else if (nowMs - firstAtMs > SAME_REQUEST_MS) {
        context.exitNow(1);
      }
    });
  });
}

/** What is flushed after the calls have ended takes a moment, too. */
const FLUSH_MS = 5000;

async function closeInTime(service: Gatelens, timeoutMs: number, context: CliContext): Promise<void> {
  const deadline = setTimeout(() => {
    context.note('Stopping took too long and was cut off. What was on disk is kept and continues at the next start.');
    context.exitNow(1);
  }, timeoutMs + FLUSH_MS);
  try {
    await service.close();
  } finally {
    clearTimeout(deadline);
  }
}
