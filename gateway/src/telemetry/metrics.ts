/**
 * Metrics of the gateway: durations by the MCP conventions, and what the audit itself counts. Independent of sampling.
 * Attributes are names that metadata shows anyway, of each server so many (metric-names.ts); never a session, a request
 * id or a user.
 */
import type { Meter } from '@opentelemetry/api';
import { createMetricNames } from './metric-names.ts';
import type { MirrorStats } from './mirror.ts';
import {
  MCP_DURATION_BUCKETS,
  METRIC_MCP_CLIENT_OPERATION_DURATION,
  METRIC_MCP_CLIENT_SESSION_DURATION,
  METRIC_MCP_SERVER_OPERATION_DURATION,
  METRIC_MCP_SERVER_SESSION_DURATION,
} from './semconv.ts';

export type MetricAttributes = Readonly<Record<string, string | number>>;

export interface DurationMetrics {
  serverOperation(durationMs: number, attributes: MetricAttributes): void;
  clientOperation(durationMs: number, attributes: MetricAttributes): void;
  session(durationMs: number, server: MetricAttributes, client: MetricAttributes): void;
}

export function createDurationMetrics(meter: Meter): DurationMetrics {
  const histogram = (name: string, description: string) =>
    meter.createHistogram(name, {
      description,
      unit: 's',
      advice: { explicitBucketBoundaries: [...MCP_DURATION_BUCKETS] },
    });
  const serverOperation = histogram(
    METRIC_MCP_SERVER_OPERATION_DURATION,
    'Time from the arrival of a request or notification until its answer was ready for the client.'
  );
  const clientOperation = histogram(
    METRIC_MCP_CLIENT_OPERATION_DURATION,
    'Time from sending a request or notification upstream until the end of its answer.'
  );
  const serverSession = histogram(METRIC_MCP_SERVER_SESSION_DURATION, 'Duration of sessions with MCP clients.');
  const clientSession = histogram(METRIC_MCP_CLIENT_SESSION_DURATION, 'Duration of sessions with upstream servers.');
  const named = createMetricNames();
  return {
    serverOperation: (durationMs, attributes) => serverOperation.record(durationMs / 1000, named(attributes)),
    clientOperation: (durationMs, attributes) => clientOperation.record(durationMs / 1000, named(attributes)),
    session: (durationMs, server, client) => {
      serverSession.record(durationMs / 1000, named(server));
      clientSession.record(durationMs / 1000, named(client));
    },
  };
}

export const noDurationMetrics: DurationMetrics = {
  serverOperation: () => undefined,
  clientOperation: () => undefined,
  session: () => undefined,
};

/** What the audit counts, read when metrics are collected. */
export interface AuditFigures {
  readonly seen: number;
  readonly recorded: number;
  readonly shipped: number;
  readonly lost: number;
  readonly refused: number;
  /** refused attempts that were counted instead of recorded */
  readonly attemptsLeftOut: number;
  /** payloads cut for the record */
  readonly payloadsTruncated: number;
  /** payloads that could not be sealed */
  readonly payloadsFailed: number;
  readonly setAsideBatches: number;
  readonly spoolBytes: number;
  /** seconds since the start of the oldest record that waits, 0 if none waits */
  readonly oldestUnshippedSeconds: number;
  readonly mirrors: readonly MirrorStats[];
}

/** Registers `gatelens_*` counters and gauges. */
export function observeAudit(meter: Meter, read: () => AuditFigures): void {
  const counter = (name: string, description: string, value: (figures: AuditFigures) => number): void => {
    meter.createObservableCounter(name, { description }).addCallback((result) => result.observe(value(read())));
  };
  counter('gatelens.records.seen', 'Records begun since start.', (one) => one.seen);
  counter('gatelens.records.recorded', 'Records made durable since start.', (one) => one.recorded);
  counter('gatelens.records.shipped', 'Records taken by the store since start.', (one) => one.shipped);
  counter('gatelens.records.lost', 'Records that could not be kept and were let pass.', (one) => one.lost);
  counter(
    'gatelens.records.refused',
    'Records that could not be kept, so their calls were refused.',
    (one) => one.refused
  );
  counter(
    'gatelens.attempts.left_out',
    'Refused attempts that were counted instead of recorded one by one.',
    (one) => one.attemptsLeftOut
  );
  counter('gatelens.payloads.truncated', 'Payloads cut for the record.', (one) => one.payloadsTruncated);
  counter('gatelens.payloads.failed', 'Payloads that could not be sealed.', (one) => one.payloadsFailed);
  counter(
    'gatelens.spool.set_aside',
    'Batches that the store refused for good, set aside.',
    (one) => one.setAsideBatches
  );
  meter
    .createObservableGauge('gatelens.spool.size', { description: 'Bytes on disk not yet shipped.', unit: 'By' })
    .addCallback((result) => result.observe(read().spoolBytes));
  meter
    .createObservableGauge('gatelens.spool.oldest', {
      description: 'Age of the oldest record not yet shipped.',
      unit: 's',
    })
    .addCallback((result) => result.observe(read().oldestUnshippedSeconds));
  const mirrorCounter = (name: string, description: string, value: (stats: MirrorStats) => number): void => {
    meter.createObservableCounter(name, { description }).addCallback((result) => {
      for (const one of read().mirrors) result.observe(value(one), { mirror: one.name });
    });
  };
  mirrorCounter('gatelens.mirror.exported', 'Spans that a mirror took.', (one) => one.exported);
  mirrorCounter('gatelens.mirror.failed', 'Spans that a mirror did not take after retries.', (one) => one.failed);
  mirrorCounter(
    'gatelens.mirror.dropped',
    'Spans not queued for a mirror, since its queue was full.',
    (one) => one.dropped
  );
}
