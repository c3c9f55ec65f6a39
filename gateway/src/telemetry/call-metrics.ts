/**
 * Measures a finished call and its session by the MCP conventions, from the attributes of its spans. Streams are no
 * operations: they last as long as somebody listens.
 */
import type { CallEnd, CallStart } from '../mcp/observer.ts';
import type { AttributeRow } from './attribute-row.ts';
import { clientSpanAttributes, metricAttributes, sessionAttributes, spanStatus } from './call-attributes.ts';
import { CALL_AT } from './call-row.ts';
import { noDurationMetrics } from './metrics.ts';
import type { ObserverContext } from './observer-context.ts';

export interface MeasuredCall {
  readonly start: CallStart;
  readonly end: CallEnd;
  /** of the SERVER span */
  readonly attributes: AttributeRow;
  readonly durationMs: number;
  /** undefined when nothing was sent upstream */
  readonly upstreamMs: number | undefined;
  /** by the monotonic clock */
  readonly endedMs: number;
}

export function measureCall(observer: ObserverContext, call: MeasuredCall): void {
  const { metrics, sessions } = observer;
  const { start, end, attributes, upstreamMs } = call;
  if (start.kind !== 'stream' && metrics !== noDurationMetrics) {
    const isError = spanStatus(end.outcome, end.rpcErrorCode, 'server') !== undefined;
    metrics.serverOperation(call.durationMs, metricAttributes(attributes, isError));
    if (upstreamMs !== undefined) {
      const isClientError = spanStatus(end.outcome, end.rpcErrorCode, 'client') !== undefined;
      metrics.clientOperation(upstreamMs, metricAttributes(clientSpanAttributes(attributes, start), isClientError));
    }
  }
  const sessionKey = attributes.values[CALL_AT.sessionKey];
  if (typeof sessionKey !== 'string' || start.kind === 'attempt') return;
  sessions.seen(sessionKey, call.endedMs, () => ({
    server: sessionAttributes(attributes),
    client: sessionAttributes(upstreamMs === undefined ? attributes : clientSpanAttributes(attributes, start)),
  }));
}
