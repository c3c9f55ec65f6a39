/**
 * `gatelens erase`: destroys the data keys of a person, so that nobody can open the payloads of their calls any more, and
 * the row that says who they are. Irreversible: shows what it would do, and does it with --yes only. Recorded in the
 * access log before it is done; where it cannot be recorded, nothing is destroyed.
 */
import { Command } from 'commander';
import { createLogger } from '../logger.ts';
import { findConfig, withConfigOptions, type ConfigOptions } from './common-options.ts';
import { UsageError, type CliContext } from './context.ts';

interface EraseOptions extends ConfigOptions {
  readonly user: string;
  readonly yes?: boolean;
}

export function eraseCommand(context: CliContext, version: string): Command {
  return withConfigOptions(new Command('erase'))
    .description('destroy what opens the payloads of a person, and their name; irreversible')
    .requiredOption('--user <e-mail>', 'whose; for an API key without a person: key:<name>')
    .option('--yes', 'do it; without this it is only shown')
    .addHelpText(
      'after',
      `
Stop Gatelens first: the erasure is a record of the audit API, whose records only one process may write. With the audit
API on a machine of its own stop that one, then run this there. A gateway on another machine need not be stopped: it uses
no data key for longer than an hour, so payloads of calls that begin an hour later can be opened again.

Example:
  $ gatelens erase --config gatelens.yaml --user ana@example.com --yes`
    )
    .action(async (options: EraseOptions) => {
      const user = options.user.trim();
      if (user === '') throw new UsageError('--user takes the e-mail under which the calls are recorded.');
      const { config } = findConfig(options, context, false).loaded;
      const { eraseFromStore } = await import('./erase-from-store.ts');
      const { before, after } = await eraseFromStore({
        config,
        user,
        dryRun: options.yes !== true,
        logger: createLogger(context.log, context.now),
        version,
      });
      const what = `${before.keys} data keys, which open ${before.payloads} parts of payloads${before.named ? ', and the name' : ''}`;
      if (before.keys === 0 && !before.named) {
        context.note('Nothing is known of this person: no data key that opens something, no name.');
      } else if (options.yes === true) {
        context.note(
          `Destroyed: ${what}. Left: ${after.keys} keys. Backups from before still have them: docs/deploy.md.`
        );
      } else {
        context.note(`This would destroy ${what}. Nobody can undo it. Run it again with --yes.`);
      }
    });
}
