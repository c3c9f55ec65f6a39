/**
 * `gatelens demo`, as it is offered: real calls of real MCP clients to real sample servers, so that the audit log has
 * something to show. What it does is in demo-run.ts, loaded when it is asked for.
 */
import { Command, Option } from 'commander';
import { UsageError, type CliContext } from './context.ts';
import type { DemoOptions } from './demo-run.ts';
import type { StartService } from './serve.ts';

const MOST_DAYS = 365;

export function demoCommand(context: CliContext, version: string, startService: StartService): Command {
  return new Command('demo')
    .description('make calls to look at: real clients, real sample servers, every outcome')
    .addOption(new Option('-c, --config <file>', 'configuration; default: gatelens.yaml here, else the quick start'))
    .addOption(new Option('--data-dir <dir>', 'in place of dataDir of the configuration'))
    .option('--history', 'also add calls of past days; they are made up, and stamped demo=true')
    .addOption(new Option('--days <days>', `days of the history, at most ${MOST_DAYS}`).default(30).argParser(daysOf))
    .option('--exit', 'end when the summary is printed')
    .addHelpText(
      'after',
      `
If Gatelens runs on this data directory with the sample servers, the calls are made there. If none runs, the demo starts
one, with the listeners and keys of the configuration, the sample servers and one more over HTTP, and leaves it running
until Ctrl-C. The API keys it makes are called demo-… and are taken out at its end.

Examples:
  $ gatelens demo
  $ gatelens demo --history --days 90
  $ gatelens demo --exit --data-dir ./.gatelens-demo`
    )
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('./demo-run.ts');
      await runDemo(options, { context, version, startService });
    });
}

function daysOf(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= MOST_DAYS) return days;
  throw new UsageError(`--days takes a whole number from 1 to ${MOST_DAYS}.`);
}
