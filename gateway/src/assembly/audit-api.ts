/**
 * The audit API on its own chain: who asks comes from tokens, what they see from visibility.ts, what they did goes into
 * the access log before they see it. Holds the private halves of the keys; a gateway without them cannot open payloads.
 */
import { auditTokenFile, createAuditTokens } from '../access/audit-tokens.ts';
import { createAuditApi } from '../audit-api/app.ts';
import { startAuditApiServer, type AuditApiServer } from '../audit-api/server.ts';
import type { GatelensConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { AuditApi } from '../mcp-server/audit-api-client.ts';
import type { Keyring } from '../protection/keyring.ts';
import { createPayloadOpener } from '../protection/payload-opener.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import { createAccessRecorder } from '../telemetry/access-recorder.ts';
import type { Recorder } from './recorder.ts';
import type { Store } from './store.ts';

export async function startAuditApi(options: {
  readonly config: GatelensConfig;
  readonly keyring: Keyring;
  readonly pseudonyms: Pseudonyms;
  readonly recorder: Recorder;
  readonly store: Store;
  readonly logger: Logger;
  readonly version: string;
}): Promise<AuditApiServer & { readonly api: AuditApi }> {
  const { config, keyring, logger, recorder } = options;
  const accessRecorder = createAccessRecorder({ telemetry: recorder.telemetry, logger });
  recorder.reportHealth(accessRecorder.counts);
  const tokens = createAuditTokens({
    configured: config.auditApi.tokens,
    file: auditTokenFile(config.dataDir),
    logger,
  });
  const api = createAuditApi({
    store: options.store.reader,
    accessRecorder,
    opener: createPayloadOpener({ privateKey: (kekId) => keyring.privateKeys.get(kekId) }),
    pseudonyms: options.pseudonyms,
    tokens: () => tokens.list(),
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
    logger,
    version: options.version,
    payloadRetentionMs: config.retention.payloads,
    configuredServers: Object.keys(config.mcpServers),
  });
  return { ...(await startAuditApiServer(api, config.listen.auditApi)), api };
}
