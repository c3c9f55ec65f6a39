-- What a record could not keep, in each report: calls refused because of it, attempts that stand in sums, payloads that
-- were cut or could not be sealed. Reports of before, and those of a collector, say 0.
ALTER TABLE mcp.health {{on_cluster}} ADD COLUMN IF NOT EXISTS refused UInt64 CODEC(T64, ZSTD(1)), ADD COLUMN IF NOT EXISTS attempts_left_out UInt64 CODEC(T64, ZSTD(1)), ADD COLUMN IF NOT EXISTS payloads_truncated UInt64 CODEC(T64, ZSTD(1)), ADD COLUMN IF NOT EXISTS payloads_failed UInt64 CODEC(T64, ZSTD(1));

-- In place: no report comes between two views.
ALTER TABLE mcp.health_from_traces {{on_cluster}} MODIFY QUERY
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
    toUInt64OrZero(SpanAttributes['gatelens.health.last_verify']) AS last_verify_at,
    toUInt64OrZero(SpanAttributes['gatelens.health.refused']) AS refused,
    toUInt64OrZero(SpanAttributes['gatelens.health.attempts_left_out']) AS attempts_left_out,
    toUInt64OrZero(SpanAttributes['gatelens.health.payloads_truncated']) AS payloads_truncated,
    toUInt64OrZero(SpanAttributes['gatelens.health.payloads_failed']) AS payloads_failed
FROM mcp.otel_traces
WHERE SpanAttributes['gatelens.kind'] = 'health';

CREATE OR REPLACE VIEW mcp.grafana_health {{on_cluster}} {{sql_security}} AS
SELECT at, component, chain_id, seen, recorded, shipped, lost, set_aside, spool_bytes, oldest_unshipped_at, head_seq, last_verify_at,
    refused, attempts_left_out, payloads_truncated, payloads_failed
FROM mcp.health FINAL;

CREATE OR REPLACE VIEW mcp.grafana_pipeline {{on_cluster}} {{sql_security}} AS
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
    if(last_verify_at = 0, NULL, greatest(0, toUnixTimestamp64Nano(at) - toInt64(last_verify_at)) / 1e9) AS verified_seconds_ago,
    refused,
    attempts_left_out,
    payloads_truncated,
    payloads_failed
FROM mcp.health FINAL;
