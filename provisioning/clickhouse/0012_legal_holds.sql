-- Legal holds. While one is in force, tables of the classes metadata, payloads and accessLog have no TTL (`gatelens migrate`,
-- every start of the embedded store and `gatelens hold` see to that), and `gatelens erase` spares whom it covers. No row is
-- ever changed: a release is a row with a higher version. Protected, since a reason may name people; kept for ever.
CREATE TABLE IF NOT EXISTS mcp_protected.legal_holds {{on_cluster}}
(
    hold_id String,
    reason String,
    set_by String,
    set_at DateTime64(3, 'UTC'),
    user_key String,
    server String,
    held_from DateTime64(3, 'UTC'),
    held_to DateTime64(3, 'UTC'),
    released_at DateTime64(3, 'UTC') DEFAULT toDateTime64(0, 3, 'UTC'),
    released_by String,
    version UInt8 DEFAULT 0
)
ENGINE = {{engine:ReplacingMergeTree(version)}}
ORDER BY hold_id;
