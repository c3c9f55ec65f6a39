-- Users of a ClickHouse server: applied by `gatelens migrate` where store.users is configured, as a whole each time, so a
-- new password or view takes hold. Not a numbered file: it may be edited. Placeholders: {{on_cluster}} as in the DDL;
-- {{identified:user}} how the user logs in; {{grafana_views}} SELECT ON each view without users.

-- `…_local` are the tables of a shard (store.sharded); where there are none, such a grant gives nothing.

-- An insert counts only once it is on disk, on the shard and a majority of replicas, and in the tables made from it.
CREATE SETTINGS PROFILE OR REPLACE gatelens_ingest {{on_cluster}} SETTINGS
    async_insert = 0 READONLY,
    distributed_foreground_insert = 1 READONLY,
    insert_quorum = 'auto',
    materialized_views_ignore_errors = 0 READONLY,
    deduplicate_blocks_in_dependent_materialized_views = 1,
    max_execution_time = 120,
    max_memory_usage = 4000000000,
    max_concurrent_queries_for_user = 20;

CREATE SETTINGS PROFILE OR REPLACE gatelens_api {{on_cluster}} SETTINGS
    distributed_product_mode = 'global',
    max_execution_time = 300,
    max_memory_usage = 8000000000,
    max_concurrent_queries_for_user = 60;

-- For every Viewer of the Grafana organisation.
CREATE SETTINGS PROFILE OR REPLACE grafana_reader {{on_cluster}} SETTINGS
    readonly = 1,
    distributed_product_mode = 'global',
    max_execution_time = 30 MIN 1 MAX 60 CHANGEABLE_IN_READONLY,
    max_result_rows = 100000,
    max_rows_to_read = 200000000,
    max_memory_usage = 4000000000,
    max_threads = 4,
    max_concurrent_queries_for_user = 20;

CREATE QUOTA OR REPLACE grafana_reader {{on_cluster}}
    FOR INTERVAL 1 minute MAX queries = 1200, execution_time = 300,
    FOR INTERVAL 1 hour MAX read_rows = 20000000000
    TO grafana_reader;

CREATE USER IF NOT EXISTS gatelens_ingest {{on_cluster}} {{identified:gatelens_ingest}};

ALTER USER gatelens_ingest {{on_cluster}} {{identified:gatelens_ingest}} SETTINGS PROFILE gatelens_ingest;

GRANT {{on_cluster}} INSERT, SHOW COLUMNS ON mcp.otel_traces, INSERT ON mcp.otel_traces_local,
    INSERT, SHOW COLUMNS ON mcp.otel_metrics_sum, INSERT ON mcp.otel_metrics_sum_local
    TO gatelens_ingest WITH REPLACE OPTION;

CREATE USER IF NOT EXISTS gatelens_payload_ingest {{on_cluster}} {{identified:gatelens_payload_ingest}};

ALTER USER gatelens_payload_ingest {{on_cluster}} {{identified:gatelens_payload_ingest}} SETTINGS PROFILE gatelens_ingest;

GRANT {{on_cluster}} INSERT, SHOW COLUMNS ON mcp_protected.otel_logs, INSERT ON mcp_protected.otel_logs_local TO gatelens_payload_ingest WITH REPLACE OPTION;

CREATE USER IF NOT EXISTS gatelens_api {{on_cluster}} {{identified:gatelens_api}};

ALTER USER gatelens_api {{on_cluster}} {{identified:gatelens_api}} SETTINGS PROFILE gatelens_api;

-- Reads everything; removes rows only where erasure does.
GRANT {{on_cluster}} SELECT ON mcp.*, SELECT ON mcp_protected.*,
    SELECT ON system.one, SELECT ON system.parts, SELECT ON system.tables, SELECT ON system.columns,
    SELECT ON system.view_refreshes, SELECT ON system.mutations,
    INSERT, ALTER DELETE, OPTIMIZE ON mcp_protected.data_keys,
    INSERT, ALTER DELETE, OPTIMIZE ON mcp_protected.principals,
    INSERT, ALTER DELETE, OPTIMIZE ON mcp_protected.payload_events,
    INSERT, ALTER DELETE, OPTIMIZE ON mcp_protected.data_keys_local,
    INSERT, ALTER DELETE, OPTIMIZE ON mcp_protected.principals_local,
    INSERT, ALTER DELETE, OPTIMIZE ON mcp_protected.payload_events_local
    TO gatelens_api WITH REPLACE OPTION;

CREATE USER IF NOT EXISTS grafana_reader {{on_cluster}} {{identified:grafana_reader}};

ALTER USER grafana_reader {{on_cluster}} {{identified:grafana_reader}} SETTINGS PROFILE grafana_reader;

GRANT {{on_cluster}} {{grafana_views}} TO grafana_reader WITH REPLACE OPTION;
