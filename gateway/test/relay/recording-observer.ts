/**
 * An observer that keeps what the relay told it, and whose disk a test can stop or break.
 */
import { GatelensError } from '../../src/errors.ts';
import type { CallEnd, CallObservation, CallObserver, CallStart } from '../../src/mcp/observer.ts';

export interface Recorded {
  readonly callId: string;
  readonly start: CallStart;
  end?: CallEnd;
  /** `end()` was resolved, so the record is on disk */
  kept: boolean;
  /** it was asked to write the intent at once */
  hurried: boolean;
  /** how often it went upstream */
  sent: number;
}

export class RecordingObserver implements CallObserver {
  readonly calls: Recorded[] = [];
  captureBytes = 262_144;
  /** what intents and ends wait for */
  intentGate: (call: Recorded) => Promise<void> = () => Promise.resolve();
  endGate: (call: Recorded) => Promise<void> = () => Promise.resolve();
  #watchers: (() => void)[] = [];

  begin(start: CallStart): CallObservation {
    const index = this.calls.length + 1;
    const call: Recorded = { callId: `call-${index}`, start, kept: false, hurried: false, sent: 0 };
    this.calls.push(call);
    this.#changed();
    let ended: Promise<void> | undefined;
    return {
      callId: call.callId,
      upstreamTrace: { traceparent: traceparentOf(index) },
      captureBytes: this.captureBytes,
      intent: () => this.intentGate(call),
      hurry: () => {
        call.hurried = true;
        this.#changed();
      },
      upstreamStarted: () => {
        call.sent += 1;
      },
      end: (end) => {
        ended ??= (async () => {
          call.end = end;
          this.#changed();
          await this.endGate(call);
          call.kept = true;
          this.#changed();
        })();
        return ended;
      },
    };
  }

  /** Records of a method, in order. */
  of(method: string): Recorded[] {
    return this.calls.filter((call) => call.start.method === method);
  }

  only(method: string): Recorded {
    const found = this.of(method);
    if (found.length !== 1) throw new Error(`${found.length} records of ${method}`);
    return found[0]!;
  }

  /** Resolves when the condition holds; the test's own time limit is the limit. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  async ended(method: string): Promise<Recorded> {
    await this.until(() => this.of(method).some((call) => call.kept));
    return this.of(method).find((call) => call.kept)!;
  }

  #changed(): void {
    for (const resolve of this.#watchers.splice(0)) resolve();
  }
}

export function traceparentOf(index: number): string {
  return `00-${index.toString(16).padStart(32, '0')}-${index.toString(16).padStart(16, '0')}-01`;
}

export function lost(): Promise<never> {
  return Promise.reject(new GatelensError('audit_unavailable', 'The disk is full.'));
}

export interface Gate {
  readonly promise: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

/** The response bytes as they were captured. */
export function capturedText(call: Recorded): string {
  return Buffer.concat(call.end?.response?.chunks ?? []).toString();
}
