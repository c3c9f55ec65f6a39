/**
 * The only file that imports the OpenTelemetry SDK. Builds the tracer and logger of the audit in code, so that no `OTEL_*`
 * switch can turn recording off or sample it: every span reaches the audit's processor, while the caller's sampled flag
 * goes on unchanged. Metrics and mirrors are built here, too, however long that makes the file; they may fail without
 * touching the audit.
 */
import {
  ROOT_CONTEXT,
  type Context,
  type ContextManager,
  type HrTime,
  type Logger as EventLogger,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { LoggerProvider, type ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader, type MetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
  createAlwaysRecordSampler,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { Logger } from '../logger.ts';
import type { RecordFrame, Spool } from '../spool/spool.ts';
import { AttributeRow } from './attribute-row.ts';
import { AuditLogProcessor } from './audit-log-processor.ts';
import { AuditSpanProcessor } from './audit-span-processor.ts';
import { FrameCollector, type Completion } from './frame-collector.ts';
import { TraceIds } from './ids.ts';
import { startMetricsEndpoint, type MetricsEndpoint } from './metrics-endpoint.ts';
import {
  MIRROR_QUEUE_SPANS,
  MirrorCounter,
  MirrorSpanProcessor,
  countingExporter,
  type MirrorStats,
} from './mirror.ts';
import { OtlpEncoder } from './otlp-encoder.ts';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from './semconv.ts';

export interface ServiceIdentity {
  /** default `gatelens` */
  readonly name?: string;
  readonly version: string;
  /** id of the hash chain */
  readonly instanceId: string;
}

/** What makes records of one chain. */
export interface AuditTelemetry {
  readonly tracer: Tracer;
  readonly events: EventLogger;
  readonly ids: TraceIds;
  readonly spool: Spool;
  /**
   * Gives a span its attributes, in place of `setAttributes`: the SDK would check every value with a set of its own, which
   * is half of what a span costs, and ours are plain by type. The row is the span's from then on.
   */
  setAttributes(span: Span, attributes: AttributeRow): void;
  /** Emits an event, with its attributes given likewise. */
  emit(event: ProtectedEvent, attributes: AttributeRow, at: HrTime, context: Context): void;
  /**
   * Runs `make` (which ends spans and emits events) and gives the frames of it. Append them in the same tick: a record
   * took its position in the chain.
   */
  collect(completion: Completion, make: () => void): RecordFrame[];
  /** All frames so far were appended: the spool has copied them, and their memory is used again. */
  appended(): void;
}

/** Of the payload path. */
export interface ProtectedEvent {
  readonly eventName: string;
  readonly body?: Uint8Array;
}

const SCOPE = 'gatelens';

function resourceOf(service: ServiceIdentity): Resource {
  return resourceFromAttributes({
    [ATTR_SERVICE_NAME]: service.name ?? 'gatelens',
    [ATTR_SERVICE_INSTANCE_ID]: service.instanceId,
    [ATTR_SERVICE_VERSION]: service.version,
  });
}

/** @param service its `instanceId` is the spool's chain unless given */
export function createAuditTelemetry(options: {
  readonly spool: Spool;
  readonly service: Omit<ServiceIdentity, 'instanceId'>;
  readonly mirrors?: Mirrors;
}): AuditTelemetry {
  const { spool } = options;
  const resource = resourceOf({ ...options.service, instanceId: spool.chain.id });
  const ids = new TraceIds();
  const encoder = new OtlpEncoder();
  const frames = new FrameCollector<ReadableLogRecord>((records) =>
    serialized(encoder.logs(records) ?? ProtobufLogsSerializer.serializeRequest(records.map(withPlainAttributes)))
  );
  const spans = new AuditSpanProcessor<ReadableSpan>({
    chain: spool.chain,
    frames,
    serialize: (ended) =>
      serialized(encoder.spans(ended) ?? ProtobufTraceSerializer.serializeRequest(ended.map(withPlainAttributes))),
  });
  const tracers = new TracerProvider({
    resource,
    idGenerator: ids,
    sampler: createAlwaysRecordSampler(new ParentBasedSampler({ root: new AlwaysOnSampler() })),
    spanLimits: { attributeCountLimit: 128, attributeValueLengthLimit: Infinity },
    spanProcessors: [spans, ...(options.mirrors?.spanProcessors ?? [])],
  });
  const logs = new AuditLogProcessor<ReadableLogRecord>(frames);
  let emitted: AttributeRow | undefined;
  const loggers = new LoggerProvider({
    resource,
    processors: [
      {
        onEmit: (record) => {
          // a processor may change a record before it returns
          if (emitted !== undefined) giveAttributes(record, emitted);
          logs.onEmit(record);
        },
        forceFlush: () => logs.forceFlush(),
        shutdown: () => logs.shutdown(),
      },
    ],
  });
  const events = loggers.getLogger(SCOPE, options.service.version);
  return {
    tracer: tracers.getTracer(SCOPE, options.service.version),
    events,
    ids,
    spool,
    setAttributes: giveAttributes,
    emit: (event, attributes, at, context) => {
      emitted = attributes;
      try {
        events.emit({ ...event, timestamp: at, observedTimestamp: at, context });
      } finally {
        emitted = undefined;
      }
    },
    collect: (completion, make) => {
      spans.reset();
      return frames.collect(completion, make);
    },
    appended: () => encoder.reuse(),
  };
}

/** The SDK's spans and log records keep their attributes in a property that its types call read-only. */
function giveAttributes(to: object, attributes: AttributeRow): void {
  (to as { attributes: AttributeRow }).attributes = attributes;
}

function withPlainAttributes<Item extends ReadableSpan | ReadableLogRecord>(item: Item): Item {
  const { attributes }: { attributes: object } = item;
  if (!(attributes instanceof AttributeRow)) return item;
  return Object.create(item, { attributes: { value: attributes.toObject(), enumerable: true } }) as Item;
}

function serialized(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new TypeError('the OTLP serializer gave nothing');
  return bytes;
}

/** Mirrors follow no ambient context; NodeSDK would otherwise hook into every promise of the process. */
const noContextManager: ContextManager = {
  active: () => ROOT_CONTEXT,
  with: (_context, fn, thisArg, ...args) => fn.call(thisArg, ...args),
  bind: (_context, target) => target,
  enable: () => noContextManager,
  disable: () => noContextManager,
};

export interface MirrorOptions {
  readonly name?: string;
  /** OTLP/HTTP base URL; `/v1/traces` is added */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
}

export interface Mirrors {
  readonly spanProcessors: readonly SpanProcessor[];
  stats(): readonly MirrorStats[];
  /** Sends what is queued, for a few seconds at most, and stops. Never rejects. */
  close(): Promise<void>;
}

/** Longest wait for mirrors at shutdown. */
const MIRROR_CLOSE_MS = 5000;

/** Starts `NodeSDK` with one batch processor a mirror. Its packages are only loaded when there is a mirror. */
export async function startMirrors(options: {
  readonly mirrors: readonly MirrorOptions[];
  readonly service: ServiceIdentity;
  readonly logger: Logger;
  readonly monotonicMs: () => number;
  /** default 5000 */
  readonly scheduledDelayMs?: number;
}): Promise<Mirrors> {
  if (options.mirrors.length === 0) {
    return { spanProcessors: [], stats: () => [], close: () => Promise.resolve() };
  }
  const [{ NodeSDK }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const counters = options.mirrors.map((mirror, index) => new MirrorCounter(mirror.name ?? `mirror-${index + 1}`));
  const spanProcessors = options.mirrors.map((mirror, index) => {
    const counter = counters[index] ?? new MirrorCounter(`mirror-${index + 1}`);
    const exporter = new OTLPTraceExporter({ url: `${baseUrl(mirror.url)}/v1/traces`, headers: headersOf(mirror) });
    const batcher = new BatchSpanProcessor({
      exporter: countingExporter(exporter, counter, options.logger, options.monotonicMs),
      maxQueueSize: MIRROR_QUEUE_SPANS,
      ...(options.scheduledDelayMs === undefined ? {} : { scheduledDelayMillis: options.scheduledDelayMs }),
    });
    return new MirrorSpanProcessor<ReadableSpan>(batcher, counter, SCOPE);
  });
  // Only mirrors are its business: no metrics, no logs, no propagator, no context manager, nothing from the environment.
  const sdk = new NodeSDK({
    resource: resourceOf(options.service),
    autoDetectResources: false,
    spanProcessors,
    metricReaders: [],
    logRecordProcessors: [],
    textMapPropagator: null,
    contextManager: noContextManager,
    instrumentations: [],
  });
  sdk.start();
  return {
    spanProcessors,
    stats: () => counters.map((counter) => counter.stats()),
    close: async () => {
      const closed = Promise.allSettled([sdk.shutdown(), ...spanProcessors.map((one) => one.shutdown())]);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, MIRROR_CLOSE_MS);
      });
      await Promise.race([closed, late]);
      clearTimeout(timer);
    },
  };
}

export interface MetricsPipeline {
  readonly meter: Meter;
  /** where Prometheus scrapes; absent when `prometheus` was not asked for */
  readonly endpoint?: MetricsEndpoint;
  close(): Promise<void>;
}

/** @throws GatelensError `config_invalid` when the Prometheus address cannot be listened on */
export async function startMetrics(options: {
  readonly service: ServiceIdentity;
  readonly prometheus?: { readonly host: string; readonly port: number; readonly token?: string };
  readonly otlp?: readonly (MirrorOptions & { readonly intervalMs?: number })[];
}): Promise<MetricsPipeline> {
  const prometheus = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
  const readers: MetricReader[] = (options.otlp ?? []).map(
    (target) =>
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${baseUrl(target.url)}/v1/metrics`, headers: headersOf(target) }),
        exportIntervalMillis: target.intervalMs ?? 60_000,
      })
  );
  // The exporter brings its own copy of sdk-metrics (3.1.0), whose classes differ from ours in private fields only.
  if (options.prometheus !== undefined) readers.push(prometheus as unknown as MetricReader);
  const provider = new MeterProvider({ resource: resourceOf(options.service), readers });
  const endpoint =
    options.prometheus === undefined
      ? undefined
      : await startMetricsEndpoint({
          ...options.prometheus,
          answer: (request, response) => prometheus.getMetricsRequestHandler(request, response),
        });
  return {
    meter: provider.getMeter(SCOPE, options.service.version),
    ...(endpoint === undefined ? {} : { endpoint }),
    close: async () => {
      await endpoint?.close();
      await provider.shutdown({ timeoutMillis: MIRROR_CLOSE_MS }).catch(() => undefined);
    },
  };
}

function baseUrl(url: string): string {
  return url.replace(/\/+$/, '');
}

function headersOf(target: MirrorOptions): Record<string, string> {
  return { ...target.headers, ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }) };
}
