/** Keeps what the bridge tells about calls, and can refuse to record as a full disk would. */
import { GatelensError } from '../../src/errors.ts';
import type { CallEnd, CallObservation, CallObserver, CallStart } from '../../src/mcp/observer.ts';

export interface RecordedCall {
  readonly callId: string;
  readonly start: CallStart;
  started: boolean;
  end?: CallEnd;
}

export class RecordingObserver implements CallObserver {
  readonly calls: RecordedCall[] = [];
  /** decides what cannot be recorded */
  refuses: (start: CallStart, phase: 'intent' | 'end') => boolean = () => false;

  begin(start: CallStart): CallObservation {
    const call: RecordedCall = { callId: `call-${this.calls.length}`, start, started: false };
    this.calls.push(call);
    const record = async (phase: 'intent' | 'end'): Promise<void> => {
      await Promise.resolve();
      if (this.refuses(start, phase)) throw new GatelensError('audit_unavailable', 'The disk is full.');
    };
    return {
      callId: call.callId,
      upstreamTrace: { traceparent: `00-${'a'.repeat(32)}-${String(this.calls.length).padStart(16, '0')}-01` },
      captureBytes: 1_000_000,
      intent: () => record('intent'),
      hurry: () => undefined,
      upstreamStarted: () => void (call.started = true),
      end: (end) => {
        call.end ??= end;
        return record('end');
      },
    };
  }

  /** Records of a tool call, the oldest first. */
  tool(name: string): RecordedCall[] {
    return this.calls.filter((call) => call.start.target?.name === name);
  }

  of(kind: CallStart['kind'], method?: string): RecordedCall[] {
    return this.calls.filter(
      (call) => call.start.kind === kind && (method === undefined || call.start.method === method)
    );
  }

  /** What was recorded and never ended. */
  get open(): string[] {
    return this.calls.filter((call) => call.end === undefined).map((call) => call.start.method);
  }
}

export function answerOf(call: RecordedCall | undefined): string {
  return Buffer.concat([...(call?.end?.response?.chunks ?? [])]).toString();
}
