-- What upstream servers offer, as far as it changes: one chained record a change. Keyed hashes and names of tools only;
-- descriptions and schemas are in the sealed answers of the calls that are named here.
CREATE TABLE IF NOT EXISTS mcp.tool_changes {{on_cluster}}
(
    record_version UInt8,
    kind LowCardinality(String),
    chain_id LowCardinality(String),
    seq UInt64 CODEC(T64, ZSTD(1)),
    record_hash String CODEC(ZSTD(1)),
    change_id String CODEC(ZSTD(1)),
    started_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    server LowCardinality(String),
    change LowCardinality(String),
    fingerprint String CODEC(ZSTD(1)),
    previous_fingerprint String CODEC(ZSTD(1)),
    tools UInt32,
    added Array(String) CODEC(ZSTD(1)),
    removed Array(String) CODEC(ZSTD(1)),
    changed Array(String) CODEC(ZSTD(1)),
    parts String CODEC(ZSTD(1)),
    client_name LowCardinality(String),
    client_version LowCardinality(String),
    protocol_version LowCardinality(String),
    seen_in_calls Array(String) CODEC(ZSTD(1)),
    previous_calls Array(String) CODEC(ZSTD(1)),
    demo Bool
)
ENGINE = {{engine:ReplacingMergeTree(seq)}}
PARTITION BY toStartOfMonth(started_at)
ORDER BY (started_at, change_id)
TTL toDateTime(started_at) + INTERVAL {{ttl:metadata}} SECOND DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.tool_changes_from_traces {{on_cluster}} TO mcp.tool_changes AS
SELECT
    toUInt8OrZero(SpanAttributes['gatelens.record.version']) AS record_version,
    SpanAttributes['gatelens.kind'] AS kind,
    SpanAttributes['gatelens.chain.id'] AS chain_id,
    toUInt64OrZero(SpanAttributes['gatelens.chain.seq']) AS seq,
    SpanAttributes['gatelens.chain.hash'] AS record_hash,
    SpanAttributes['gatelens.call.id'] AS change_id,
    Timestamp AS started_at,
    now64(3) AS ingested_at,
    SpanAttributes['gatelens.server.name'] AS server,
    SpanAttributes['gatelens.tools.change'] AS change,
    SpanAttributes['gatelens.tools.fingerprint'] AS fingerprint,
    SpanAttributes['gatelens.tools.previous_fingerprint'] AS previous_fingerprint,
    toUInt32OrZero(SpanAttributes['gatelens.tools.count']) AS tools,
    JSONExtract(SpanAttributes['gatelens.tools.added'], 'Array(String)') AS added,
    JSONExtract(SpanAttributes['gatelens.tools.removed'], 'Array(String)') AS removed,
    JSONExtract(SpanAttributes['gatelens.tools.changed'], 'Array(String)') AS changed,
    SpanAttributes['gatelens.tools.parts'] AS parts,
    SpanAttributes['gatelens.client.name'] AS client_name,
    SpanAttributes['gatelens.client.version'] AS client_version,
    SpanAttributes['mcp.protocol.version'] AS protocol_version,
    JSONExtract(SpanAttributes['gatelens.tools.seen_in_calls'], 'Array(String)') AS seen_in_calls,
    JSONExtract(SpanAttributes['gatelens.tools.previous_calls'], 'Array(String)') AS previous_calls,
    SpanAttributes['gatelens.demo'] = 'true' AS demo
FROM mcp.otel_traces
WHERE SpanAttributes['gatelens.kind'] = 'catalog';

-- The chain takes the new kind, too.
ALTER TABLE mcp.chain_from_traces {{on_cluster}} MODIFY QUERY
SELECT
    SpanAttributes['gatelens.chain.id'] AS chain_id,
    toUInt64OrZero(SpanAttributes['gatelens.chain.seq']) AS seq,
    SpanAttributes['gatelens.chain.hash'] AS record_hash,
    SpanAttributes['gatelens.call.id'] AS call_id,
    SpanAttributes['gatelens.kind'] AS kind,
    Timestamp AS started_at
FROM mcp.otel_traces
WHERE SpanAttributes['gatelens.kind'] IN ('request', 'notification', 'server_request', 'stream', 'attempt', 'access', 'catalog');

-- For alert rules of every Grafana viewer: no names of tools, no client, no call.
CREATE VIEW IF NOT EXISTS mcp.grafana_tool_changes {{on_cluster}} {{sql_security}} AS
SELECT started_at, server, change, tools, length(added) AS tools_added, length(removed) AS tools_removed,
    length(changed) AS tools_changed, demo
FROM mcp.tool_changes FINAL;
