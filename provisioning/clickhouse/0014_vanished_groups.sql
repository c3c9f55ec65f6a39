-- A group of usage figures that has no call any more says 0. A refresh wrote only groups that have one, so the figure of a
-- group that vanished stayed beside that of the group the call moved to: a request reported interrupted, then closed with
-- its own outcome, counted twice. What is touched is found once, so that both halves speak of the same buckets. Buckets
-- whose calls may have expired are not set to 0: usage is kept longer than calls.
ALTER TABLE mcp.usage_minute_refresh {{on_cluster}} MODIFY QUERY
WITH
    (SELECT max(computed_at) FROM mcp.usage_minute) AS last_computed_at,
    (
        SELECT groupUniqArray(toStartOfMinute(started_at)) FROM mcp.calls WHERE ingested_at >= last_computed_at - INTERVAL 120 SECOND
    ) AS touched
SELECT
    minute, server, operation, tool, outcome, latency_bucket, demo,
    sum(n) AS calls,
    sum(duration_n) AS duration_sum,
    sum(upstream_n) AS upstream_duration_sum,
    sum(in_n) AS request_bytes,
    sum(out_n) AS response_bytes,
    sum(tokens_n) AS tokens_estimated,
    now64(3) AS computed_at
FROM
(
    SELECT toStartOfMinute(started_at) AS minute, server, operation, tool, outcome, latency_bucket, demo,
        count() AS n, sum(duration) AS duration_n, sum(upstream_duration) AS upstream_n, sum(request_bytes) AS in_n,
        sum(response_bytes) AS out_n, sum(tokens_estimated) AS tokens_n
    FROM mcp.requests
    WHERE toStartOfMinute(started_at) IN (SELECT arrayJoin(touched))
    GROUP BY ALL
    UNION ALL
    SELECT minute, server, operation, tool, outcome, latency_bucket, demo, 0, 0, 0, 0, 0, 0
    FROM mcp.usage_minute
    WHERE minute IN (SELECT arrayJoin(touched)) AND minute >= now('UTC') - INTERVAL {{ttl:metadata}} SECOND + INTERVAL 1 DAY
)
GROUP BY ALL;

ALTER TABLE mcp.usage_hour_refresh {{on_cluster}} MODIFY QUERY
WITH
    (SELECT max(computed_at) FROM mcp.usage_hour) AS last_computed_at,
    (
        SELECT groupUniqArray(toStartOfHour(started_at)) FROM mcp.calls WHERE ingested_at >= last_computed_at - INTERVAL 120 SECOND
    ) AS touched
SELECT
    hour, server, operation, tool, outcome, latency_bucket, demo,
    sum(n) AS calls,
    sum(duration_n) AS duration_sum,
    sum(upstream_n) AS upstream_duration_sum,
    sum(in_n) AS request_bytes,
    sum(out_n) AS response_bytes,
    sum(tokens_n) AS tokens_estimated,
    now64(3) AS computed_at
FROM
(
    SELECT toStartOfHour(started_at) AS hour, server, operation, tool, outcome, latency_bucket, demo,
        count() AS n, sum(duration) AS duration_n, sum(upstream_duration) AS upstream_n, sum(request_bytes) AS in_n,
        sum(response_bytes) AS out_n, sum(tokens_estimated) AS tokens_n
    FROM mcp.requests
    WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(touched))
    GROUP BY ALL
    UNION ALL
    SELECT hour, server, operation, tool, outcome, latency_bucket, demo, 0, 0, 0, 0, 0, 0
    FROM mcp.usage_hour
    WHERE hour IN (SELECT arrayJoin(touched)) AND hour >= now('UTC') - INTERVAL {{ttl:metadata}} SECOND + INTERVAL 1 DAY
)
GROUP BY ALL;

ALTER TABLE mcp.usage_user_hour_refresh {{on_cluster}} MODIFY QUERY
WITH
    (SELECT max(computed_at) FROM mcp.usage_user_hour) AS last_computed_at,
    (
        SELECT groupUniqArray(toStartOfHour(started_at)) FROM mcp.calls WHERE ingested_at >= last_computed_at - INTERVAL 120 SECOND
    ) AS touched
SELECT
    hour, user_key, server, tool, outcome, demo,
    sum(n) AS calls,
    sum(duration_n) AS duration_sum,
    sum(upstream_n) AS upstream_duration_sum,
    sum(in_n) AS request_bytes,
    sum(out_n) AS response_bytes,
    sum(tokens_n) AS tokens_estimated,
    now64(3) AS computed_at
FROM
(
    SELECT toStartOfHour(started_at) AS hour, user_key, server, tool, outcome, demo,
        count() AS n, sum(duration) AS duration_n, sum(upstream_duration) AS upstream_n, sum(request_bytes) AS in_n,
        sum(response_bytes) AS out_n, sum(tokens_estimated) AS tokens_n
    FROM mcp.requests
    WHERE toStartOfHour(started_at) IN (SELECT arrayJoin(touched))
    GROUP BY ALL
    UNION ALL
    SELECT hour, user_key, server, tool, outcome, demo, 0, 0, 0, 0, 0, 0
    FROM mcp.usage_user_hour
    WHERE hour IN (SELECT arrayJoin(touched)) AND hour >= now('UTC') - INTERVAL {{ttl:metadata}} SECOND + INTERVAL 1 DAY
)
GROUP BY ALL;

-- Nor does a view show what is 0: a list of servers and tools would name those that have no call.
CREATE OR REPLACE VIEW mcp.grafana_usage_minute {{on_cluster}} {{sql_security}} AS
SELECT * FROM mcp.usage_minute FINAL WHERE calls > 0;

CREATE OR REPLACE VIEW mcp.grafana_usage_hour {{on_cluster}} {{sql_security}} AS
SELECT * FROM mcp.usage_hour FINAL WHERE calls > 0;

CREATE OR REPLACE VIEW mcp.grafana_usage {{on_cluster}} {{sql_security}} AS
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
    WHERE minute >= toStartOfHour(now('UTC') - INTERVAL 29 DAY) AND calls > 0
    UNION ALL
    SELECT hour AS at, server, operation, tool, outcome, latency_bucket, calls, duration_sum, upstream_duration_sum,
        request_bytes, response_bytes, tokens_estimated, demo
    FROM mcp.usage_hour FINAL
    WHERE hour < toStartOfHour(now('UTC') - INTERVAL 29 DAY) AND calls > 0
);
