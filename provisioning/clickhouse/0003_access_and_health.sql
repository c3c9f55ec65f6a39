-- Who opened, searched, exported or changed what through the audit API; refusals too.
CREATE TABLE IF NOT EXISTS mcp.access_log {{on_cluster}}
(
    record_version UInt8,
    kind LowCardinality(String),
    chain_id LowCardinality(String),
    seq UInt64 CODEC(T64, ZSTD(1)),
    record_hash String CODEC(ZSTD(1)),
    access_id String CODEC(ZSTD(1)),
    started_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    duration UInt64 CODEC(T64, ZSTD(1)),
    action LowCardinality(String),
    decision LowCardinality(String),
    reason LowCardinality(String),
    actor_key String CODEC(ZSTD(1)),
    actor_kind LowCardinality(String),
    actor_name LowCardinality(String),
    roles Array(String) CODEC(ZSTD(1)),
    client_address String CODEC(ZSTD(1)),
    target_call_id String CODEC(ZSTD(1)),
    target_user_key String CODEC(ZSTD(1)),
    target_server LowCardinality(String),
    rows UInt64 CODEC(T64, ZSTD(1)),
    bytes UInt64 CODEC(T64, ZSTD(1)),
    detail String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    demo Bool
)
ENGINE = {{engine:ReplacingMergeTree(seq)}}
PARTITION BY toStartOfMonth(started_at)
ORDER BY (started_at, access_id)
TTL toDateTime(started_at) + INTERVAL {{ttl:accessLog}} SECOND DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.access_log_from_traces {{on_cluster}} TO mcp.access_log AS
SELECT
    toUInt8OrZero(SpanAttributes['gatelens.record.version']) AS record_version,
    SpanAttributes['gatelens.kind'] AS kind,
    SpanAttributes['gatelens.chain.id'] AS chain_id,
    toUInt64OrZero(SpanAttributes['gatelens.chain.seq']) AS seq,
    SpanAttributes['gatelens.chain.hash'] AS record_hash,
    SpanAttributes['gatelens.call.id'] AS access_id,
    Timestamp AS started_at,
    now64(3) AS ingested_at,
    Duration AS duration,
    SpanAttributes['gatelens.access.action'] AS action,
    SpanAttributes['gatelens.access.decision'] AS decision,
    SpanAttributes['gatelens.access.reason'] AS reason,
    SpanAttributes['user.hash'] AS actor_key,
    SpanAttributes['gatelens.access.actor_kind'] AS actor_kind,
    SpanAttributes['gatelens.access.actor_name'] AS actor_name,
    JSONExtract(SpanAttributes['gatelens.access.roles'], 'Array(String)') AS roles,
    SpanAttributes['client.address'] AS client_address,
    SpanAttributes['gatelens.access.call_id'] AS target_call_id,
    SpanAttributes['gatelens.access.user_key'] AS target_user_key,
    SpanAttributes['gatelens.access.server'] AS target_server,
    toUInt64OrZero(SpanAttributes['gatelens.access.rows']) AS rows,
    toUInt64OrZero(SpanAttributes['gatelens.access.bytes']) AS bytes,
    SpanAttributes['gatelens.access.detail'] AS detail,
    TraceId AS trace_id,
    SpanAttributes['gatelens.demo'] = 'true' AS demo
FROM mcp.otel_traces
WHERE SpanAttributes['gatelens.kind'] = 'access';

-- Each component reports on itself every 15 s.
CREATE TABLE IF NOT EXISTS mcp.health {{on_cluster}}
(
    at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    component LowCardinality(String),
    chain_id LowCardinality(String),
    seen UInt64 CODEC(T64, ZSTD(1)),
    recorded UInt64 CODEC(T64, ZSTD(1)),
    shipped UInt64 CODEC(T64, ZSTD(1)),
    lost UInt64 CODEC(T64, ZSTD(1)),
    set_aside UInt64 CODEC(T64, ZSTD(1)),
    spool_bytes UInt64 CODEC(T64, ZSTD(1)),
    oldest_unshipped_at UInt64 CODEC(T64, ZSTD(1)),
    head_seq UInt64 CODEC(T64, ZSTD(1)),
    head_hash String CODEC(ZSTD(1)),
    signing_key_id LowCardinality(String),
    signature String CODEC(ZSTD(1)),
    last_verify_at UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = {{engine:ReplacingMergeTree}}
PARTITION BY toStartOfMonth(at)
ORDER BY (component, chain_id, at)
TTL toDateTime(at) + INTERVAL {{ttl:metadata}} SECOND DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.health_from_traces {{on_cluster}} TO mcp.health AS
SELECT
    Timestamp AS at,
    now64(3) AS ingested_at,
    SpanAttributes['gatelens.health.component'] AS component,
    SpanAttributes['gatelens.chain.id'] AS chain_id,
    toUInt64OrZero(SpanAttributes['gatelens.health.seen']) AS seen,
    toUInt64OrZero(SpanAttributes['gatelens.health.recorded']) AS recorded,
    toUInt64OrZero(SpanAttributes['gatelens.health.shipped']) AS shipped,
    toUInt64OrZero(SpanAttributes['gatelens.health.lost']) AS lost,
    toUInt64OrZero(SpanAttributes['gatelens.health.set_aside']) AS set_aside,
    toUInt64OrZero(SpanAttributes['gatelens.health.spool_bytes']) AS spool_bytes,
    toUInt64OrZero(SpanAttributes['gatelens.health.oldest_unshipped']) AS oldest_unshipped_at,
    toUInt64OrZero(SpanAttributes['gatelens.chain.seq']) AS head_seq,
    SpanAttributes['gatelens.chain.hash'] AS head_hash,
    SpanAttributes['gatelens.checkpoint.key_id'] AS signing_key_id,
    SpanAttributes['gatelens.checkpoint.signature'] AS signature,
    toUInt64OrZero(SpanAttributes['gatelens.health.last_verify']) AS last_verify_at
FROM mcp.otel_traces
WHERE SpanAttributes['gatelens.kind'] = 'health';

-- Signed heads of the chains.
CREATE TABLE IF NOT EXISTS mcp.checkpoints {{on_cluster}}
(
    chain_id LowCardinality(String),
    seq UInt64,
    record_hash String CODEC(ZSTD(1)),
    signed_at DateTime64(9, 'UTC'),
    signing_key_id LowCardinality(String),
    signature String CODEC(ZSTD(1))
)
ENGINE = {{engine:ReplacingMergeTree}}
ORDER BY (chain_id, seq, record_hash)
TTL toDateTime(signed_at) + INTERVAL {{ttl:accessLog}} SECOND DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.checkpoints_from_traces {{on_cluster}} TO mcp.checkpoints AS
SELECT
    SpanAttributes['gatelens.chain.id'] AS chain_id,
    toUInt64OrZero(SpanAttributes['gatelens.chain.seq']) AS seq,
    SpanAttributes['gatelens.chain.hash'] AS record_hash,
    Timestamp AS signed_at,
    SpanAttributes['gatelens.checkpoint.key_id'] AS signing_key_id,
    SpanAttributes['gatelens.checkpoint.signature'] AS signature
FROM mcp.otel_traces
WHERE SpanAttributes['gatelens.kind'] = 'health' AND SpanAttributes['gatelens.checkpoint.signature'] != '';
