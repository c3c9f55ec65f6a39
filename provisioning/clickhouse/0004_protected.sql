-- Sealed payloads, wrapped data keys and the erasable principals. Written by gatelens_payload_ingest only, read by the
-- audit API only. `ciphertext` is what the gateway sealed; nobody but the holder of a private key reads it.
CREATE TABLE IF NOT EXISTS mcp_protected.payload_events {{on_cluster}}
(
    call_id String CODEC(ZSTD(1)),
    direction LowCardinality(String),
    started_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    user_key String CODEC(ZSTD(1)),
    server LowCardinality(String),
    v UInt8,
    alg LowCardinality(String),
    key_id String CODEC(ZSTD(1)),
    nonce String CODEC(NONE),
    comp LowCardinality(String),
    ciphertext String CODEC(NONE),
    sha256 String CODEC(ZSTD(1)),
    digest String CODEC(ZSTD(1)),
    bytes UInt64 CODEC(T64, ZSTD(1)),
    truncated Bool,
    mode LowCardinality(String),
    demo Bool,
    INDEX idx_call_id call_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = {{engine:ReplacingMergeTree}}
PARTITION BY toMonday(started_at)
ORDER BY (started_at, call_id, direction)
TTL toDateTime(started_at) + INTERVAL {{ttl:payloads}} SECOND DELETE
SETTINGS index_granularity = 256, index_granularity_bytes = 1048576;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp_protected.payload_events_from_logs {{on_cluster}} TO mcp_protected.payload_events AS
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
    base64Decode(Body) AS ciphertext,
    LogAttributes['gatelens.payload.sha256'] AS sha256,
    LogAttributes['gatelens.payload.digest'] AS digest,
    toUInt64OrZero(LogAttributes['gatelens.payload.bytes']) AS bytes,
    LogAttributes['gatelens.payload.truncated'] = 'true' AS truncated,
    LogAttributes['gatelens.capture.mode'] AS mode,
    LogAttributes['gatelens.demo'] = 'true' AS demo
FROM mcp_protected.otel_logs
WHERE EventName IN ('gatelens.payload.request', 'gatelens.payload.response');

-- One data key a subject, gateway, month and process start. Erasure writes a row with a higher version and no key, so a
-- late re-delivery cannot bring a destroyed key back; OPTIMIZE then removes the old row from disk.
CREATE TABLE IF NOT EXISTS mcp_protected.data_keys {{on_cluster}}
(
    key_id String,
    subject String,
    gateway LowCardinality(String),
    epoch LowCardinality(String),
    kek_id LowCardinality(String),
    wrapped String,
    created_at DateTime64(3, 'UTC'),
    destroyed_at DateTime64(3, 'UTC') DEFAULT toDateTime64(0, 3, 'UTC'),
    version UInt8 DEFAULT 0,
    INDEX idx_subject subject TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{engine:ReplacingMergeTree(version)}}
ORDER BY key_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp_protected.data_keys_from_logs {{on_cluster}} TO mcp_protected.data_keys AS
SELECT
    LogAttributes['gatelens.data_key.id'] AS key_id,
    LogAttributes['user.hash'] AS subject,
    LogAttributes['gatelens.chain.id'] AS gateway,
    LogAttributes['gatelens.data_key.epoch'] AS epoch,
    LogAttributes['gatelens.data_key.kek_id'] AS kek_id,
    base64Decode(Body) AS wrapped,
    toDateTime64(Timestamp, 3, 'UTC') AS created_at,
    toDateTime64(0, 3, 'UTC') AS destroyed_at,
    toUInt8(0) AS version
FROM mcp_protected.otel_logs
WHERE EventName = 'gatelens.data_key';

-- Who a user_key is. The only place with names and e-mails; a subject's row is deleted on erasure.
CREATE TABLE IF NOT EXISTS mcp_protected.principals {{on_cluster}}
(
    user_key String,
    email String,
    login String,
    name String,
    seen_at DateTime64(3, 'UTC')
)
ENGINE = {{engine:ReplacingMergeTree(seen_at)}}
ORDER BY user_key;

CREATE MATERIALIZED VIEW IF NOT EXISTS mcp_protected.principals_from_logs {{on_cluster}} TO mcp_protected.principals AS
SELECT
    LogAttributes['user.hash'] AS user_key,
    LogAttributes['user.email'] AS email,
    LogAttributes['user.name'] AS login,
    LogAttributes['user.full_name'] AS name,
    toDateTime64(Timestamp, 3, 'UTC') AS seen_at
FROM mcp_protected.otel_logs
WHERE EventName = 'gatelens.principal';
