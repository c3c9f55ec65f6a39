/**
 * Measures a finished call and its session by the MCP conventions, from the attributes of its spans. Streams are no
 * operations: they last as long as somebody listens.
 */
import { sessionAttributes, metricAttributes, spanStatus, type CallAttributes } from './call-attributes.ts';
import type { CallEnd, CallStart } from '../mcp/observer.ts';
import type { ObserverContext } from './observer-context.ts';
import { CALL_ATTR } from './record-attributes.ts';

export interface MeasuredCall {
  readonly kind: CallStart['kind'];
  readonly end: CallEnd;
  readonly attributes: CallAttributes;
  readonly durationMs: number;
  /** absent when nothing was sent upstream */
  readonly upstream?: { readonly attributes: CallAttributes; readonly durationMs: number };
  /** by the monotonic clock */
  readonly endedMs: number;
}

export function measureCall(observer: ObserverContext, call: MeasuredCall): void {
  const { metrics, sessions } = observer;
  const { kind, end, attributes, upstream } = call;
  if (kind !== 'stream') {
    const isError = spanStatus(end.outcome, end.rpcErrorCode, 'server') !== undefined;
    metrics.serverOperation(call.durationMs, metricAttributes(attributes, isError));
    if (upstream !== undefined) {
      const isClientError = spanStatus(end.outcome, end.rpcErrorCode, 'client') !== undefined;
      metrics.clientOperation(upstream.durationMs, metricAttributes(upstream.attributes, isClientError));
    }
  }
  const sessionKey = attributes[CALL_ATTR.sessionKey];
  if (typeof sessionKey !== 'string' || kind === 'attempt') return;
  sessions.seen(sessionKey, call.endedMs, () => ({
    server: sessionAttributes(attributes),
    client: sessionAttributes(upstream?.attributes ?? attributes),
  }));
}
