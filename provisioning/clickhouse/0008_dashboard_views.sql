-- What dashboards and alert rules ask, on the one definition of request, error and latency (0005). No person in any of it.

-- Requests by minute, past 29 days by hour. A figure is a sum of `calls`; latency_ms is the end of the log bucket, so
-- quantileExactWeighted(0.95)(latency_ms, calls) is what the pages show as p95.
CREATE VIEW IF NOT EXISTS mcp.grafana_usage {{on_cluster}} {{sql_security}} AS
SELECT
    at AS time,
    server,
    operation,
    tool,
    outcome,
    CAST(outcome, 'String') IN ('tool_error', 'rpc_error', 'timeout', 'upstream_unreachable', 'interrupted') AS is_error,
    exp2((latency_bucket + 1) / 8) / 1000 AS latency_ms,
    calls,
    duration_sum / 1e6 AS duration_ms_sum,
    upstream_duration_sum / 1e6 AS upstream_ms_sum,
    request_bytes,
    response_bytes,
    tokens_estimated,
    demo
FROM
(
    SELECT minute AS at, server, operation, tool, outcome, latency_bucket, calls, duration_sum, upstream_duration_sum,
        request_bytes, response_bytes, tokens_estimated, demo
    FROM mcp.usage_minute FINAL
    WHERE minute >= toStartOfHour(now('UTC') - INTERVAL 29 DAY)
    UNION ALL
    SELECT hour AS at, server, operation, tool, outcome, latency_bucket, calls, duration_sum, upstream_duration_sum,
        request_bytes, response_bytes, tokens_estimated, demo
    FROM mcp.usage_hour FINAL
    WHERE hour < toStartOfHour(now('UTC') - INTERVAL 29 DAY)
);

-- Each refusal, with or without an upstream server. Denied is not an error.
CREATE VIEW IF NOT EXISTS mcp.grafana_denials {{on_cluster}} {{sql_security}} AS
SELECT started_at AS time, kind, server, operation, tool, denied_by, error_type, http_status, demo
FROM mcp.calls FINAL
WHERE outcome = 'denied';

-- Reports of gateways, audit APIs and collectors, with what they tell about the way into the store.
CREATE VIEW IF NOT EXISTS mcp.grafana_pipeline {{on_cluster}} {{sql_security}} AS
SELECT
    at AS time,
    component,
    chain_id,
    greatest(0, dateDiff('millisecond', at, ingested_at)) / 1000 AS delivery_seconds,
    seen,
    recorded,
    shipped,
    lost,
    set_aside,
    spool_bytes,
    if(oldest_unshipped_at = 0, 0, greatest(0, toUnixTimestamp64Nano(at) - toInt64(oldest_unshipped_at)) / 1e9) AS backlog_seconds,
    head_seq,
    if(last_verify_at = 0, NULL, greatest(0, toUnixTimestamp64Nano(at) - toInt64(last_verify_at)) / 1e9) AS verified_seconds_ago
FROM mcp.health FINAL;

-- What a query can see of a broken chain: positions that are missing, that have two hashes, or whose hash is not the one
-- that was signed. The newest 200 000 positions of each chain that reported in the last day, up to 10 minutes ago, so that
-- records on their way count for nothing. `gatelens verify` proves more: it computes each hash again.
CREATE VIEW IF NOT EXISTS mcp.grafana_chains {{on_cluster}} {{sql_security}} AS
WITH
    reports AS (
        SELECT chain_id, component, head_seq, head_hash
        FROM mcp.health
        WHERE at >= now('UTC') - INTERVAL 1 DAY AND at <= now('UTC') - INTERVAL 10 MINUTE AND head_seq > 0
    ),
    heads AS (
        SELECT chain_id, any(component) AS component, max(head_seq) AS head, toUInt64(greatest(head, 200000) - 200000) AS low
        FROM reports
        GROUP BY chain_id
    ),
    links AS (
        SELECT chain_id, seq, record_hash
        FROM mcp.chain
        WHERE (chain_id, intDiv(seq, 16384)) IN (
            SELECT chain_id, arrayJoin(range(intDiv(low, 16384), toUInt64(intDiv(head, 16384) + 1))) FROM heads
        )
    )
SELECT
    heads.chain_id AS chain_id,
    heads.component AS component,
    heads.head AS head_seq,
    toInt64(heads.head) - toInt64(heads.low) - toInt64(counted.positions) AS missing,
    toInt64(counted.hashes) - toInt64(counted.positions) AS doubled,
    toInt64(signed.differing) AS not_as_signed
FROM heads
LEFT JOIN
(
    SELECT links.chain_id AS chain_id, uniqExact(links.seq) AS positions, uniqExact(links.seq, links.record_hash) AS hashes
    FROM links
    INNER JOIN heads ON heads.chain_id = links.chain_id
    WHERE links.seq > heads.low AND links.seq <= heads.head
    GROUP BY links.chain_id
) AS counted ON counted.chain_id = heads.chain_id
LEFT JOIN
(
    SELECT reports.chain_id AS chain_id, uniqExact(reports.head_seq) AS differing
    FROM reports
    INNER JOIN links ON links.chain_id = reports.chain_id AND links.seq = reports.head_seq
    WHERE links.record_hash != reports.head_hash
    GROUP BY reports.chain_id
) AS signed ON signed.chain_id = heads.chain_id;

-- That something was read, refused or changed through the audit API; never who or whose.
CREATE VIEW IF NOT EXISTS mcp.grafana_access {{on_cluster}} {{sql_security}} AS
SELECT started_at AS time, action, decision, reason, actor_kind, target_server AS server, rows, bytes, demo
FROM mcp.access_log FINAL;
