/**
 * The program `gatelens`: commands, exit codes, and the only place that touches the process it runs in. Commands live in
 * cli/; what they start is imported when it is needed, so that `--help` and `api-keys` answer at once.
 */
import { isatty } from 'node:tty';
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { checkConfigCommand } from './cli/check-config.ts';
import type { CliContext } from './cli/context.ts';
import { apiKeysCommand, tokensCommand } from './cli/credentials.ts';
import { demoCommand } from './cli/demo.ts';
import { eraseCommand } from './cli/erase.ts';
import { EXIT, type ExitCode } from './cli/exit-codes.ts';
import { debugTextOf, failureOf } from './cli/failure.ts';
import { exportCommand } from './cli/export.ts';
import { holdCommand } from './cli/hold.ts';
import { keyringCommand } from './cli/keyring.ts';
import { migrateCommand } from './cli/migrate.ts';
import { startStandIn, type StartPages } from './cli/pages.ts';
import { serveCommand, type StartService } from './cli/serve.ts';
import { verifyCommand } from './cli/verify.ts';

export const VERSION: string = manifest.version;

const HELP = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 configuration, 4 data directory, 5 store.

Examples:
  $ gatelens serve                                    with gatelens.yaml, or sample servers
  $ gatelens serve --mcp-config claude_desktop_config.json
  $ gatelens demo                                     calls to look at
  $ gatelens check-config --config gatelens.yaml
  $ gatelens api-keys create --name ci --user ana@example.com --expires 90d
  $ gatelens tokens create --name siem --role auditor
  $ gatelens verify                                   is the log what was recorded?
  $ gatelens export --from now-7d --filter server=hr  calls into a file`;

const startFromMain: StartService = async (start) => {
  const { startGatelens } = await import('./main.ts');
  return startGatelens(start);
};

/** @param args what follows the program's name */
export async function runCli(
  args: readonly string[],
  context: CliContext,
  startService: StartService = startFromMain,
  startPages: StartPages = startService === startFromMain ? startStandIn : () => Promise.resolve(undefined)
): Promise<ExitCode> {
  const debug = args.includes('--debug');
  try {
    await program(context, startService, startPages).parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    const { exitCode, text } = failureOf(error);
    if (text !== '') context.note(`gatelens: ${text}`);
    if (debug && !(error instanceof CommanderError)) context.note(debugTextOf(error));
    return exitCode;
  }
}

function program(context: CliContext, startService: StartService, startPages: StartPages): Command {
  const root = new Command('gatelens')
    .description('The audit log and usage insight for MCP traffic.')
    .version(VERSION)
    .addHelpText('after', HELP)
    .addCommand(serveCommand(context, VERSION, startService, startPages))
    .addCommand(demoCommand(context, VERSION, startService))
    .addCommand(migrateCommand(context))
    .addCommand(checkConfigCommand(context))
    .addCommand(apiKeysCommand(context))
    .addCommand(tokensCommand(context))
    .addCommand(keyringCommand(context))
    .addCommand(verifyCommand(context))
    .addCommand(exportCommand(context))
    .addCommand(eraseCommand(context, VERSION))
    .addCommand(holdCommand(context, VERSION));
  settle(root, context);
  return root;
}

/** What holds for every command: errors are thrown, text goes where the context says, `--debug` is taken everywhere. */
function settle(command: Command, context: CliContext): void {
  command
    .option('--debug', 'print stack traces of errors')
    .exitOverride()
    .showHelpAfterError('Add --help to see what there is.')
    .configureOutput({ writeOut: context.print, writeErr: (text) => context.note(text.trimEnd()) });
  for (const child of command.commands) settle(child, context);
}

/** Runs the program in this process. */
export async function main(): Promise<void> {
  const ignoreClosedPipe = (error: NodeJS.ErrnoException): void => {
    // EIO: the terminal is gone
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  };
  process.stdout.on('error', ignoreClosedPipe);
  process.stderr.on('error', ignoreClosedPipe);
  const context = processContext();
  const args = process.argv.slice(2);
  // Node would print the error's text, and that text may be anything.
  const crash = (error: unknown): void => {
    context.note(`gatelens: ${failureOf(error).text}`);
    if (args.includes('--debug')) context.note(debugTextOf(error));
    process.exit(EXIT.failure);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  process.exit(await runCli(args, context));
}

function processContext(): CliContext {
  // A terminal that closes sends SIGHUP, too. Its file is no terminal any more by then.
  const hadTerminal = isatty(2);
  const isTerminalGone = (): boolean => hadTerminal && !isatty(2);
  let reloads = false;
  return {
    env: process.env,
    cwd: process.cwd(),
    nodePath: process.execPath,
    now: () => new Date(),
    print: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(`${text}\n`),
    log: (line) => void process.stderr.write(line),
    onSignal: (listener) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => listener(signal));
      process.on('SIGHUP', () => {
        if (!reloads || isTerminalGone()) listener('SIGHUP');
      });
    },
    onReload: (listener) => {
      reloads = true;
      process.on('SIGHUP', () => {
        if (!isTerminalGone()) listener();
      });
    },
    exitNow: (code) => process.exit(code),
  };
}
