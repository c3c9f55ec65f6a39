-- What the collector's exporter needs beyond the landing tables, and where goes what no table knows.

-- An exporter that starts while the store is away never learns of this column and leaves it out until it is restarted:
-- then it follows from the attributes that each kind of event has.
ALTER TABLE mcp_protected.otel_logs {{on_cluster}} MODIFY COLUMN EventName String DEFAULT multiIf(
    LogAttributes['gatelens.payload.direction'] != '', concat('gatelens.payload.', LogAttributes['gatelens.payload.direction']),
    LogAttributes['gatelens.data_key.id'] != '', 'gatelens.data_key',
    LogAttributes['gatelens.principal.seen_at'] != '', 'gatelens.principal',
    '');

-- Events of a newer gateway, and bodies that are no base64: kept as they came, for as long as payloads are, instead of
-- being dropped or blocking all that comes after them. A later migration can take them from here.
CREATE TABLE IF NOT EXISTS mcp_protected.events_set_aside {{on_cluster}}
(
    at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    event LowCardinality(String),
    reason LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    body String CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = {{engine:ReplacingMergeTree}}
PARTITION BY toMonday(at)
ORDER BY (at, event, trace_id, span_id, cityHash64(body, mapKeys(attributes), mapValues(attributes)))
TTL toDateTime(at) + INTERVAL {{ttl:payloads}} SECOND DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp_protected.events_set_aside_from_logs {{on_cluster}} TO mcp_protected.events_set_aside AS
SELECT
    Timestamp AS at,
    now64(3) AS ingested_at,
    EventName AS event,
    if(EventName IN ('gatelens.payload.request', 'gatelens.payload.response', 'gatelens.data_key', 'gatelens.principal'),
        'unreadable body', 'unknown event') AS reason,
    TraceId AS trace_id,
    SpanId AS span_id,
    Body AS body,
    LogAttributes AS attributes
FROM mcp_protected.otel_logs
WHERE EventName NOT IN ('gatelens.payload.request', 'gatelens.payload.response', 'gatelens.data_key', 'gatelens.principal')
    OR (EventName != 'gatelens.principal' AND Body != '' AND tryBase64Decode(Body) = '');

ALTER TABLE mcp_protected.payload_events_from_logs {{on_cluster}} MODIFY QUERY
SELECT
    LogAttributes['gatelens.call.id'] AS call_id,
    LogAttributes['gatelens.payload.direction'] AS direction,
    fromUnixTimestamp64Nano(toInt64OrZero(LogAttributes['gatelens.call.started_at']), 'UTC') AS started_at,
    now64(3) AS ingested_at,
    LogAttributes['user.hash'] AS user_key,
    LogAttributes['gatelens.server.name'] AS server,
    toUInt8OrZero(LogAttributes['gatelens.envelope.v']) AS v,
    LogAttributes['gatelens.envelope.alg'] AS alg,
    LogAttributes['gatelens.envelope.key_id'] AS key_id,
    LogAttributes['gatelens.envelope.nonce'] AS nonce,
    LogAttributes['gatelens.envelope.comp'] AS comp,
    tryBase64Decode(Body) AS ciphertext,
    LogAttributes['gatelens.payload.sha256'] AS sha256,
    LogAttributes['gatelens.payload.digest'] AS digest,
    toUInt64OrZero(LogAttributes['gatelens.payload.bytes']) AS bytes,
    LogAttributes['gatelens.payload.truncated'] = 'true' AS truncated,
    LogAttributes['gatelens.capture.mode'] AS mode,
    LogAttributes['gatelens.demo'] = 'true' AS demo
FROM mcp_protected.otel_logs
WHERE EventName IN ('gatelens.payload.request', 'gatelens.payload.response') AND (Body = '' OR tryBase64Decode(Body) != '');

ALTER TABLE mcp_protected.data_keys_from_logs {{on_cluster}} MODIFY QUERY
SELECT
    LogAttributes['gatelens.data_key.id'] AS key_id,
    LogAttributes['user.hash'] AS subject,
    LogAttributes['gatelens.chain.id'] AS gateway,
    LogAttributes['gatelens.data_key.epoch'] AS epoch,
    LogAttributes['gatelens.data_key.kek_id'] AS kek_id,
    tryBase64Decode(Body) AS wrapped,
    toDateTime64(Timestamp, 3, 'UTC') AS created_at,
    toDateTime64(0, 3, 'UTC') AS destroyed_at,
    toUInt8(0) AS version
FROM mcp_protected.otel_logs
WHERE EventName = 'gatelens.data_key' AND (Body = '' OR tryBase64Decode(Body) != '');

-- Records of a kind that this schema does not know: a gateway that is newer than it. They are in the landing table for
-- its three days only, so they are kept here as long as the others.
CREATE TABLE IF NOT EXISTS mcp.records_set_aside {{on_cluster}}
(
    at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    kind LowCardinality(String),
    record_version UInt8,
    chain_id LowCardinality(String),
    seq UInt64 CODEC(T64, ZSTD(1)),
    record_hash String CODEC(ZSTD(1)),
    record_id String CODEC(ZSTD(1)),
    duration UInt64 CODEC(T64, ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = {{engine:ReplacingMergeTree}}
PARTITION BY toMonday(at)
ORDER BY (at, chain_id, seq, record_id)
TTL toDateTime(at) + INTERVAL {{ttl:metadata}} SECOND DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.records_set_aside_from_traces {{on_cluster}} TO mcp.records_set_aside AS
SELECT
    Timestamp AS at,
    now64(3) AS ingested_at,
    SpanAttributes['gatelens.kind'] AS kind,
    toUInt8OrZero(SpanAttributes['gatelens.record.version']) AS record_version,
    SpanAttributes['gatelens.chain.id'] AS chain_id,
    toUInt64OrZero(SpanAttributes['gatelens.chain.seq']) AS seq,
    SpanAttributes['gatelens.chain.hash'] AS record_hash,
    SpanAttributes['gatelens.call.id'] AS record_id,
    Duration AS duration,
    TraceId AS trace_id,
    SpanId AS span_id,
    SpanAttributes AS attributes
FROM mcp.otel_traces
WHERE SpanAttributes['gatelens.kind'] NOT IN ('', 'request', 'notification', 'server_request', 'stream', 'attempt', 'access', 'catalog', 'health');

-- How much is set aside: anything but nothing wants somebody to look (migrate, or ask what sends it).
CREATE VIEW IF NOT EXISTS mcp.grafana_set_aside {{on_cluster}} {{sql_security}} AS
SELECT ingested_at AS time, 'record' AS what, kind AS name, 'unknown kind' AS reason FROM mcp.records_set_aside FINAL
UNION ALL
SELECT ingested_at AS time, 'event' AS what, event AS name, reason FROM mcp_protected.events_set_aside FINAL;

-- The collector's figures about itself: what its exporter inserts for metrics, taken to one row of health a report. A
-- report is one insert (the exporter's queue forms no batches of them). `lost`: given up for good.
CREATE TABLE IF NOT EXISTS mcp.otel_metrics_sum {{on_cluster}}
(
    ResourceAttributes Map(LowCardinality(String), String),
    ResourceSchemaUrl String,
    ScopeName String,
    ScopeVersion String,
    ScopeAttributes Map(LowCardinality(String), String),
    ScopeDroppedAttrCount UInt32,
    ScopeSchemaUrl String,
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    MetricDescription String,
    MetricUnit String,
    Attributes Map(LowCardinality(String), String),
    StartTimeUnix DateTime,
    TimeUnix DateTime,
    Value Float64,
    Flags UInt32,
    Exemplars Nested (
        FilteredAttributes Map(LowCardinality(String), String),
        TimeUnix DateTime,
        Value Float64,
        SpanId String,
        TraceId String
    ),
    AggregationTemporality Int32,
    IsMonotonic Bool
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.health_from_metrics {{on_cluster}} TO mcp.health AS
SELECT
    toDateTime64(max(TimeUnix), 9, 'UTC') AS at,
    now64(3) AS ingested_at,
    'collector' AS component,
    ResourceAttributes['service.instance.id'] AS chain_id,
    toUInt64(sumIf(Value, startsWith(MetricName, 'otelcol_receiver_accepted_') AND Attributes['receiver'] IN ('otlp/metadata', 'otlp/payloads'))) AS seen,
    seen AS recorded,
    toUInt64(sumIf(Value, startsWith(MetricName, 'otelcol_exporter_sent_') AND Attributes['exporter'] IN ('clickhouse/metadata', 'clickhouse/payloads'))) AS shipped,
    toUInt64(sumIf(Value, startsWith(MetricName, 'otelcol_exporter_send_failed_') AND Attributes['exporter'] IN ('clickhouse/metadata', 'clickhouse/payloads'))) AS lost,
    toUInt64(0) AS set_aside,
    toUInt64(sumIf(Value, MetricName = 'otelcol_exporter_queue_size' AND Attributes['exporter'] IN ('clickhouse/metadata', 'clickhouse/payloads'))) AS spool_bytes,
    toUInt64(0) AS oldest_unshipped_at,
    toUInt64(0) AS head_seq,
    '' AS head_hash,
    '' AS signing_key_id,
    '' AS signature,
    toUInt64(0) AS last_verify_at
FROM mcp.otel_metrics_sum
GROUP BY chain_id;
