/**
 * The LogRecordProcessor of the audit: hands each protected event (sealed payload, wrapped key, principal) to the frame
 * of the running completion. It sends nothing by itself, and copies nothing of an event onto a span.
 */
import type { FrameCollector } from './frame-collector.ts';

export class AuditLogProcessor<LogRecord extends { readonly body?: unknown }> {
  readonly #frames: FrameCollector<LogRecord>;

  constructor(frames: FrameCollector<LogRecord>) {
    this.#frames = frames;
  }

  onEmit(record: LogRecord): void {
    this.#frames.addLog(record, record.body instanceof Uint8Array ? record.body.byteLength : 0);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
