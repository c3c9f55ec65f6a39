-- Landing tables: what the OpenTelemetry Collector's clickhouse exporter inserts, and the embedded writer likewise.
-- Names and types of the columns are the exporter's contract; engines and order are ours (create_schema: false).
-- Placeholders: {{engine:X}} X or its replicated form; {{on_cluster}} ON CLUSTER clause or nothing;
-- {{ttl:class}} seconds of retention of a class (metadata, payloads, accessLog, traces, usage); {{sql_security}} see 0006.
CREATE DATABASE IF NOT EXISTS mcp {{on_cluster}};

CREATE DATABASE IF NOT EXISTS mcp_protected {{on_cluster}};

-- Metadata spans. A re-delivered span has the same key, so it disappears at merge; the typed tables below never see doubles.
CREATE TABLE IF NOT EXISTS mcp.otel_traces {{on_cluster}}
(
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(T64, ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = {{engine:ReplacingMergeTree}}
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), TraceId, SpanId)
TTL toDateTime(Timestamp) + INTERVAL {{ttl:traces}} SECOND DELETE
SETTINGS ttl_only_drop_parts = 1;

-- Protected events. Nothing is kept here: the views of 0004 take each event to its table, and an insert fails as a
-- whole when one of them fails, so it is delivered again.
CREATE TABLE IF NOT EXISTS mcp_protected.otel_logs {{on_cluster}}
(
    Timestamp DateTime64(9),
    TraceId String,
    SpanId String,
    TraceFlags UInt8,
    SeverityText LowCardinality(String),
    SeverityNumber UInt8,
    ServiceName LowCardinality(String),
    Body String,
    ResourceSchemaUrl LowCardinality(String),
    ResourceAttributes Map(LowCardinality(String), String),
    ScopeSchemaUrl LowCardinality(String),
    ScopeName String,
    ScopeVersion LowCardinality(String),
    ScopeAttributes Map(LowCardinality(String), String),
    LogAttributes Map(LowCardinality(String), String),
    EventName String
)
ENGINE = Null;
