/**
 * The last words of a command that failed: what, why, what to do, in one paragraph on stderr. A stack trace only with
 * `--debug`; the text of an error we do not know is not repeated without it, since it may hold anything.
 */
import { CommanderError } from 'commander';
import { isGatelensError } from '../errors.ts';
import { CommandFailed, UsageError } from './context.ts';
import { EXIT, exitCodeOf, type ExitCode } from './exit-codes.ts';

export interface Failure {
  readonly exitCode: ExitCode;
  /** empty when everything has been said already */
  readonly text: string;
}

export function failureOf(error: unknown): Failure {
  // Commander has printed its own message, and the help.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage, text: '' };
  if (error instanceof CommandFailed) return { exitCode: EXIT.failure, text: '' };
  if (error instanceof UsageError) return { exitCode: EXIT.usage, text: error.message };
  if (isGatelensError(error)) return { exitCode: exitCodeOf(error.code), text: error.message };
  return { exitCode: EXIT.failure, text: systemFailure(error) ?? unexpected(error) };
}

function systemFailure(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const address =
    'address' in error && 'port' in error ? `${String(error.address)}:${String(error.port)}` : 'the address';
  if (error.code === 'EADDRINUSE') {
    return `Cannot listen on ${address}: another program uses it, maybe a Gatelens that is still running. Stop that one, or choose another port under \`listen\` in the configuration.`;
  }
  if (error.code === 'EADDRNOTAVAIL') {
    return `Cannot listen on ${address}: this machine has no such address. Choose another under \`listen\` in the configuration.`;
  }
  if (error.code === 'EACCES' && 'syscall' in error && error.syscall === 'listen') {
    return `Cannot listen on ${address}: ports below 1024 need special rights. Choose a higher port under \`listen\` in the configuration.`;
  }
  return undefined;
}

function unexpected(error: unknown): string {
  const kind = error instanceof Error ? error.name : typeof error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? `, ${error.code}` : '';
  return `Something went wrong that should not (${kind}${code}). Run the command again with --debug to see where, and please report it.`;
}

/** The error and what caused it, for `--debug`. */
export function debugTextOf(error: unknown): string {
  const lines: string[] = [];
  for (let one: unknown = error, depth = 0; one !== undefined && depth < 8; depth++) {
    const stack = one instanceof Error ? (one.stack ?? one.message) : typeof one;
    // The message of the first has been told already.
    lines.push(depth === 0 ? stack.slice(stack.indexOf('\n    at ') + 1) : `caused by: ${stack}`);
    one = one instanceof Error ? one.cause : undefined;
  }
  return lines.join('\n');
}
