/**
 * Why calls failed, from metadata alone: groups them by what they have in common and says for each group, in words of our
 * own, what such an outcome means and where to look. Guesses nothing about payloads; pure.
 */
import type { Call } from '../audit-api/contract.ts';
import type { Outcome } from '../record/vocabulary.ts';

/** What each outcome means. `success` is no failure. */
const MEANING: Readonly<Record<Exclude<Outcome, 'success'>, string>> = {
  tool_error:
    'The server ran the tool and the tool reported a failure (isError). The reason is in the result: an auditor reads it with get_call_payload.',
  rpc_error: 'The server, or the gateway for it, refused the request with a JSON-RPC error; errorType is its code.',
  denied: 'The gateway refused it before it reached the server; deniedBy names the gate, policyRule the rule.',
  timeout: 'The server did not answer within the time limit of the gateway.',
  cancelled: 'The client went away or cancelled before the answer was complete. No fault of the server.',
  upstream_unreachable: 'The server could not be reached, broke off, or answered with something that is no MCP.',
  interrupted: 'The gateway itself ended while the call ran; what became of it at the server is unknown.',
};

const RPC_CODES: Readonly<Record<string, string>> = {
  '-32700': 'The server could not parse the message.',
  '-32600': 'The server took it for an invalid request.',
  '-32601': 'The server does not know this method.',
  '-32602': 'The server refused the arguments, or does not know the tool.',
  '-32603': 'The server failed internally.',
  '-32002': 'The resource does not exist.',
};

const EXAMPLES = 3;

export interface FailureGroup {
  readonly server: string;
  readonly operation: string;
  readonly tool: string | null;
  readonly outcome: string;
  readonly errorType: string | null;
  readonly deniedBy: string | null;
  readonly policyRule: string | null;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly slowestMs: number;
  readonly meaning: string;
  /** ids for get_call */
  readonly examples: readonly string[];
}

/** @param calls in any order. @returns the most frequent first */
export function failureGroups(calls: readonly Call[]): FailureGroup[] {
  const groups = new Map<string, Call[]>();
  for (const call of calls) {
    const key = JSON.stringify([call.server, call.operation, call.tool, call.outcome, call.errorType, call.deniedBy]);
    groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  return [...groups.values()].map(groupOf).sort((a, b) => b.count - a.count || (a.lastAt < b.lastAt ? 1 : -1));
}

function groupOf(calls: readonly Call[]): FailureGroup {
  const newestFirst = [...calls].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  const [newest] = newestFirst;
  const oldest = newestFirst.at(-1);
  if (newest === undefined || oldest === undefined) throw new TypeError('a group has at least one call');
  return {
    server: newest.server,
    operation: newest.operation,
    tool: newest.tool,
    outcome: newest.outcome ?? 'open',
    errorType: newest.errorType,
    deniedBy: newest.deniedBy,
    policyRule: newest.policyRule,
    count: calls.length,
    firstAt: oldest.startedAt,
    lastAt: newest.startedAt,
    slowestMs: Math.max(...calls.map(({ durationMs }) => durationMs)),
    meaning: meaningOf(newest),
    examples: newestFirst.slice(0, EXAMPLES).map(({ id }) => id),
  };
}

function meaningOf({ outcome, errorType }: Call): string {
  if (outcome === null || outcome === 'success') return 'No failure.';
  const code = outcome === 'rpc_error' && errorType !== null ? RPC_CODES[errorType] : undefined;
  return code ?? MEANING[outcome];
}
