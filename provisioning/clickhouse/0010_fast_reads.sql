-- Reads FINAL without merging while reading. A partition that is one part needs no merge (the queries set
-- do_not_merge_across_partitions_select_final), so a partition to which nothing was added for an hour is merged into one:
-- past weeks then cost what they cost without FINAL, about a tenth. The week that runs is merged while it is read, as before.
ALTER TABLE mcp.calls {{on_cluster}} MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE mcp.usage_minute {{on_cluster}} MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE mcp.usage_hour {{on_cluster}} MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE mcp.usage_user_hour {{on_cluster}} MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

-- People are few against their calls: filtered, counted and grouped by number, not by 32 characters.
ALTER TABLE mcp.calls {{on_cluster}} DROP INDEX IF EXISTS idx_user_key;

ALTER TABLE mcp.calls {{on_cluster}} MODIFY COLUMN user_key LowCardinality(String) CODEC(ZSTD(1));

ALTER TABLE mcp.calls {{on_cluster}} ADD INDEX IF NOT EXISTS idx_user_key user_key TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE mcp.calls {{on_cluster}} MATERIALIZE INDEX idx_user_key;

-- The view remembers the types of its columns. Its definition is that of 0005.
CREATE OR REPLACE VIEW mcp.requests {{on_cluster}} AS
SELECT
    *,
    CAST(outcome, 'String') IN ('tool_error', 'rpc_error', 'timeout', 'upstream_unreachable', 'interrupted') AS is_error,
    toUInt8(least(255, floor(log2(greatest(duration, 1000) / 1000) * 8))) AS latency_bucket
FROM mcp.calls FINAL
WHERE kind = 'request' AND phase = 'closed';
