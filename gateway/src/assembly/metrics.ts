/**
 * Metrics of the gateway: MCP durations and what the audit counts, for Prometheus on `listen.metrics` and by OTLP where
 * configured. They may fail without touching a call.
 */
import { formatHostPort } from '../access/address.ts';
import type { GatelensConfig } from '../config.ts';
import type { LeftOutCounts } from '../telemetry/health-reporter.ts';
import { createDurationMetrics, observeAudit, type DurationMetrics } from '../telemetry/metrics.ts';
import type { RecordCounts } from '../telemetry/record-keeper.ts';
import { startMetrics } from '../telemetry/sdk.ts';
import type { Recorder } from './recorder.ts';

export interface GatewayMetrics {
  readonly url: string;
  readonly durations: DurationMetrics;
  /** Begins to show the audit's own figures; once. */
  observe(counts: Readonly<RecordCounts>, leftOut: () => LeftOutCounts): void;
  close(): Promise<void>;
}

export async function startGatewayMetrics(options: {
  readonly config: GatelensConfig;
  readonly version: string;
  readonly recorder: Recorder;
}): Promise<GatewayMetrics> {
  const { config, recorder } = options;
  const { token, otlp } = config.metrics;
  const pipeline = await startMetrics({
    service: { version: options.version, instanceId: recorder.spool.chain.id },
    prometheus: { ...config.listen.metrics, ...(token === undefined ? {} : { token }) },
    ...(otlp === undefined ? {} : { otlp: [{ url: otlp.url, headers: otlp.headers, intervalMs: otlp.interval }] }),
  });
  const address = pipeline.endpoint ?? config.listen.metrics;
  return {
    url: `http://${formatHostPort(address)}`,
    durations: createDurationMetrics(pipeline.meter),
    observe: (counts, leftOut) =>
      observeAudit(pipeline.meter, () => {
        const stats = recorder.spool.stats();
        const { attempts, payloadsTruncated, payloadsFailed } = leftOut();
        const oldestMs = Number(stats.oldestUnshippedNs / 1_000_000n);
        return {
          seen: counts.seen,
          recorded: counts.recorded,
          lost: counts.lost,
          refused: counts.refused,
          attemptsLeftOut: attempts,
          payloadsTruncated,
          payloadsFailed,
          shipped: stats.shipped,
          setAsideBatches: stats.setAsideBatches,
          spoolBytes: stats.backlogBytes,
          oldestUnshippedSeconds: oldestMs === 0 ? 0 : Math.max(0, (Date.now() - oldestMs) / 1000),
          mirrors: recorder.mirrors.stats(),
        };
      }),
    close: () => pipeline.close(),
  };
}
