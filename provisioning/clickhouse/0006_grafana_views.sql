-- What the Grafana data source may read. In open-source Grafana every viewer can query every data source, so these views
-- hold no user, session, address or hash of a person. {{sql_security}}: DEFINER on a server, nothing embedded.
CREATE VIEW IF NOT EXISTS mcp.grafana_requests {{on_cluster}} {{sql_security}} AS
SELECT started_at, server, operation, tool, outcome, is_error, denied_by, error_type, protocol_version,
    client_name, client_version, duration, upstream_duration, ttfb, latency_bucket, request_bytes, response_bytes,
    tokens_estimated, capture_mode, payload_state, demo
FROM mcp.requests;

CREATE VIEW IF NOT EXISTS mcp.grafana_attempts {{on_cluster}} {{sql_security}} AS
SELECT started_at, server, operation, outcome, denied_by, error_type, http_status, demo
FROM mcp.calls FINAL
WHERE kind = 'attempt';

CREATE VIEW IF NOT EXISTS mcp.grafana_usage_minute {{on_cluster}} {{sql_security}} AS
SELECT * FROM mcp.usage_minute FINAL;

CREATE VIEW IF NOT EXISTS mcp.grafana_usage_hour {{on_cluster}} {{sql_security}} AS
SELECT * FROM mcp.usage_hour FINAL;

CREATE VIEW IF NOT EXISTS mcp.grafana_health {{on_cluster}} {{sql_security}} AS
SELECT at, component, chain_id, seen, recorded, shipped, lost, set_aside, spool_bytes, oldest_unshipped_at, head_seq, last_verify_at
FROM mcp.health FINAL;
