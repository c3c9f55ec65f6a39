/**
 * The configuration: one file, one schema, one place. The only module beside cli.ts that is handed the environment;
 * everything after it gets checked, frozen values as arguments. Refuses a file with any mistake, with all of them named.
 */
export {
  findDataDir,
  loadConfig,
  parseConfig,
  type LoadedConfig,
  type LoadOptions,
  type ParseOptions,
} from './config/load.ts';
export type { ConfigInput, GatelensConfig } from './config/schema.ts';
export { redactConfig } from './config/redact.ts';
export { ConfigError } from './config/mistakes.ts';
export type { Environment } from './config/expand-env.ts';
export { parseDuration } from './config/values.ts';
export type { HostPort } from './access/address.ts';
export type { ApiKeyConfig, JwtConfig, PolicyRuleConfig, RateLimitConfig } from './config/access-schema.ts';
export type { HttpServerConfig, McpServerConfig, StdioServerConfig } from './config/servers-schema.ts';
export type { AuditConfig, CaptureConfig, EncryptionConfig } from './config/record-schema.ts';
export type { MirrorConfig, OtlpConfig, StoreConfig } from './config/store-schema.ts';
export type { AuditTokenConfig, GrafanaConfig } from './config/audit-api-schema.ts';
