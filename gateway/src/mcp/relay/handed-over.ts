/**
 * The record of a request that went to its server twice: refused by one transport, taken by the other. It is one record,
 * of what became of it, and says by which transport.
 */
import type { CallEnd, CallObservation } from '../observer.ts';

export function handedOver(
  observation: CallObservation,
  upstreamTransport: NonNullable<CallEnd['upstreamTransport']>
): CallObservation {
  return {
    callId: observation.callId,
    upstreamTrace: observation.upstreamTrace,
    captureBytes: observation.captureBytes,
    intent: () => observation.intent(),
    hurry: () => observation.hurry(),
    upstreamStarted: () => observation.upstreamStarted(),
    end: (end) => observation.end({ ...end, upstreamTransport }),
  };
}
