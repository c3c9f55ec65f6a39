/** A call in a list, short: a model reads many of them. `get_call` has all columns. */
import type { Call } from '../audit-api/contract.ts';

export function callLine(call: Call): object {
  const { tool, prompt, resourceUri } = call;
  return {
    id: call.id,
    startedAt: call.startedAt,
    kind: call.kind,
    user: call.user?.email ?? call.user?.login ?? call.user?.key ?? null,
    server: call.server,
    operation: call.operation,
    ...(tool === null ? {} : { tool }),
    ...(prompt === null ? {} : { prompt }),
    ...(resourceUri === null ? {} : { resourceUri }),
    outcome: call.outcome ?? 'open',
    ...(call.errorType === null ? {} : { errorType: call.errorType }),
    ...(call.deniedBy === null ? {} : { deniedBy: call.deniedBy, policyRule: call.policyRule }),
    durationMs: Math.round(call.durationMs * 1000) / 1000,
    tokensEstimated: call.tokensEstimated,
    session: call.session.key,
    payload: call.payload.visible ? 'visible' : (call.payload.hiddenBecause ?? 'hidden'),
  };
}
