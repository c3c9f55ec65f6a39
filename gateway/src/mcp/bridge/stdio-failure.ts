/**
 * Why the requests of a stdio session end without a response of the child, in words for the person who has to do
 * something about it. Names the server as configured, exit codes and limits; never an argument, a value of the
 * environment, or anything the child printed.
 */
import type { ErrorCode } from '../../errors.ts';
import type { Outcome } from '../../record/vocabulary.ts';
import type { ChildExit } from './stdio-child.ts';

export interface Failure {
  readonly code: ErrorCode;
  readonly outcome: Outcome;
  readonly message: string;
}

/** The others are no fault of the child: the client went away, or its `initialize` was refused. */
const START_FAILURES: ReadonlySet<ErrorCode> = new Set(['child_exited', 'upstream_unreachable', 'upstream_timeout']);

export function isStartFailure(failure: Failure): boolean {
  return START_FAILURES.has(failure.code);
}

export function startTimedOut(server: string, timeoutMs: number): Failure {
  const message = `The MCP server "${server}" did not answer "initialize" within ${timeoutMs} ms. Check that its command starts an MCP server on stdin and stdout.`;
  return { code: 'upstream_timeout', outcome: 'timeout', message };
}

/** A child that many clients share, and that is started again with the next request. */
export function failureOfSharedExit(server: string, exit: ChildExit): Failure {
  const failure = failureOfExit(server, exit, false);
  if (failure.code !== 'child_exited') return failure;
  return { ...failure, message: failure.message.replace('Start a new session.', 'Send the request again.') };
}

export function failureOfExit(server: string, exit: ChildExit, starting: boolean): Failure {
  const outcome = 'upstream_unreachable';
  if (exit.error !== undefined) return { code: exit.error.code, outcome, message: exit.error.message };
  if (exit.startError !== undefined) {
    const message = `The MCP server "${server}" could not be started (${exit.startError}). Check "command", "cwd" and PATH of mcpServers.${server} in the gateway's configuration.`;
    return { code: 'upstream_unreachable', outcome, message };
  }
  const how = exit.signal === null ? `with exit code ${exit.code ?? 'unknown'}` : `by ${exit.signal}`;
  const message = starting
    ? `The MCP server "${server}" ended ${how} before it answered "initialize". Run its command in a terminal to see what it prints, and check "args" and "env" of mcpServers.${server}.`
    : `The MCP server "${server}" ended ${how} while requests were open. Start a new session.`;
  return { code: 'child_exited', outcome, message };
}
