/**
 * What a command gets from the process it runs in. Commands never touch `process` themselves, so tests can run them
 * without one, and nothing of the environment is read anywhere else.
 */
import type { Environment } from '../config.ts';

export interface CliContext {
  readonly env: Environment;
  readonly cwd: string;
  /** the Node binary that runs us; runs the demo's servers, too */
  readonly nodePath: string;
  readonly now: () => Date;
  /** what was asked for */
  readonly print: (text: string) => void;
  /** remarks, warnings, errors */
  readonly note: (text: string) => void;
  /** log lines of the running service, newline included */
  readonly log: (line: string) => void;
  /** calls back at each SIGINT or SIGTERM */
  readonly onSignal: (listener: (signal: string) => void) => void;
  /** calls back at each SIGHUP that is no terminal going away; left out where there is none */
  readonly onReload?: (listener: () => void) => void;
  /** ends the process at once */
  readonly exitNow: (code: number) => void;
}

/** What was asked for on the command line is wrong; exit code 2. */
export class UsageError extends Error {}

/** The command did its work and the answer is no; it has said all. Exit code 1. */
export class CommandFailed extends Error {}
