-- Usage figures. Recomputed, not accumulated: each refresh reads every minute (hour) touched since the last one again
-- from `mcp.requests` and appends the whole figure with a newer version. Re-delivered, split, merged or late batches
-- therefore change nothing. The 120 s overlap covers inserts that were running when the last refresh began.

-- The one definition of *request*, *error* and *latency* for pages, dashboards and alert rules.
-- latency_bucket: eighths of an octave of microseconds; bucket b ends at 2^((b + 1) / 8) µs, so quantiles are within 9 %.
CREATE VIEW IF NOT EXISTS mcp.requests {{on_cluster}} AS
SELECT
    *,
    CAST(outcome, 'String') IN ('tool_error', 'rpc_error', 'timeout', 'upstream_unreachable', 'interrupted') AS is_error,
    toUInt8(least(255, floor(log2(greatest(duration, 1000) / 1000) * 8))) AS latency_bucket
FROM mcp.calls FINAL
WHERE kind = 'request' AND phase = 'closed';

-- Without users: dashboards of every Grafana viewer may read it.
CREATE TABLE IF NOT EXISTS mcp.usage_minute {{on_cluster}}
(
    minute DateTime('UTC'),
    server LowCardinality(String),
    operation LowCardinality(String),
    tool LowCardinality(String),
    outcome LowCardinality(String),
    latency_bucket UInt8,
    demo Bool,
    calls UInt64,
    duration_sum UInt64,
    upstream_duration_sum UInt64,
    request_bytes UInt64,
    response_bytes UInt64,
    tokens_estimated UInt64,
    computed_at DateTime64(3, 'UTC')
)
ENGINE = {{engine:ReplacingMergeTree(computed_at)}}
PARTITION BY toMonday(minute)
ORDER BY (minute, server, operation, tool, outcome, latency_bucket, demo)
TTL minute + INTERVAL 30 DAY DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.usage_minute_refresh {{on_cluster}} REFRESH EVERY 5 SECOND APPEND TO mcp.usage_minute AS
WITH (SELECT max(computed_at) FROM mcp.usage_minute) AS last_computed_at
SELECT
    toStartOfMinute(started_at) AS minute,
    server,
    operation,
    tool,
    outcome,
    latency_bucket,
    demo,
    count() AS calls,
    sum(duration) AS duration_sum,
    sum(upstream_duration) AS upstream_duration_sum,
    sum(request_bytes) AS request_bytes,
    sum(response_bytes) AS response_bytes,
    sum(tokens_estimated) AS tokens_estimated,
    now64(3) AS computed_at
FROM mcp.requests
WHERE toStartOfMinute(started_at) IN (
    SELECT DISTINCT toStartOfMinute(started_at) FROM mcp.calls WHERE ingested_at >= last_computed_at - INTERVAL 120 SECOND
)
GROUP BY ALL;

CREATE TABLE IF NOT EXISTS mcp.usage_hour {{on_cluster}}
(
    hour DateTime('UTC'),
    server LowCardinality(String),
    operation LowCardinality(String),
    tool LowCardinality(String),
    outcome LowCardinality(String),
    latency_bucket UInt8,
    demo Bool,
    calls UInt64,
    duration_sum UInt64,
    upstream_duration_sum UInt64,
    request_bytes UInt64,
    response_bytes UInt64,
    tokens_estimated UInt64,
    computed_at DateTime64(3, 'UTC')
)
ENGINE = {{engine:ReplacingMergeTree(computed_at)}}
PARTITION BY toStartOfMonth(hour)
ORDER BY (hour, server, operation, tool, outcome, latency_bucket, demo)
TTL hour + INTERVAL {{ttl:usage}} SECOND DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.usage_hour_refresh {{on_cluster}} REFRESH EVERY 30 SECOND APPEND TO mcp.usage_hour AS
WITH (SELECT max(computed_at) FROM mcp.usage_hour) AS last_computed_at
SELECT
    toStartOfHour(started_at) AS hour,
    server,
    operation,
    tool,
    outcome,
    latency_bucket,
    demo,
    count() AS calls,
    sum(duration) AS duration_sum,
    sum(upstream_duration) AS upstream_duration_sum,
    sum(request_bytes) AS request_bytes,
    sum(response_bytes) AS response_bytes,
    sum(tokens_estimated) AS tokens_estimated,
    now64(3) AS computed_at
FROM mcp.requests
WHERE toStartOfHour(started_at) IN (
    SELECT DISTINCT toStartOfHour(started_at) FROM mcp.calls WHERE ingested_at >= last_computed_at - INTERVAL 120 SECOND
)
GROUP BY ALL;

-- With users: the audit API only.
CREATE TABLE IF NOT EXISTS mcp.usage_user_hour {{on_cluster}}
(
    hour DateTime('UTC'),
    user_key String CODEC(ZSTD(1)),
    server LowCardinality(String),
    tool LowCardinality(String),
    outcome LowCardinality(String),
    demo Bool,
    calls UInt64,
    duration_sum UInt64,
    upstream_duration_sum UInt64,
    request_bytes UInt64,
    response_bytes UInt64,
    tokens_estimated UInt64,
    computed_at DateTime64(3, 'UTC')
)
ENGINE = {{engine:ReplacingMergeTree(computed_at)}}
PARTITION BY toStartOfMonth(hour)
ORDER BY (hour, user_key, server, tool, outcome, demo)
TTL hour + INTERVAL {{ttl:metadata}} SECOND DELETE;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp.usage_user_hour_refresh {{on_cluster}} REFRESH EVERY 30 SECOND APPEND TO mcp.usage_user_hour AS
WITH (SELECT max(computed_at) FROM mcp.usage_user_hour) AS last_computed_at
SELECT
    toStartOfHour(started_at) AS hour,
    user_key,
    server,
    tool,
    outcome,
    demo,
    count() AS calls,
    sum(duration) AS duration_sum,
    sum(upstream_duration) AS upstream_duration_sum,
    sum(request_bytes) AS request_bytes,
    sum(response_bytes) AS response_bytes,
    sum(tokens_estimated) AS tokens_estimated,
    now64(3) AS computed_at
FROM mcp.requests
WHERE toStartOfHour(started_at) IN (
    SELECT DISTINCT toStartOfHour(started_at) FROM mcp.calls WHERE ingested_at >= last_computed_at - INTERVAL 120 SECOND
)
GROUP BY ALL;
