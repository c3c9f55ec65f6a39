/**
 * The audit API on its own chain: who asks comes from tokens or Grafana, what they see from visibility.ts, what they did
 * goes into the access log before they see it. Holds the private halves of the keys; a gateway without them cannot open payloads.
 */
import { createPublicKey, hkdfSync } from 'node:crypto';
import { auditTokenFile, createAuditTokens } from '../access/audit-tokens.ts';
import { createAuditApi } from '../audit-api/app.ts';
import type { GrafanaSettings } from '../audit-api/deps.ts';
import { assembleExports } from '../audit-api/exports/assembly.ts';
import { startAuditApiServer, type AuditApiServer } from '../audit-api/server.ts';
import { createRefusalLog, MINUTE_MS } from '../audit-api/refusal-log.ts';
import { openState, stateFile } from '../audit-api/state/state-file.ts';
import type { GatelensConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { AuditApi } from '../mcp-server/audit-api-client.ts';
import type { Keyring } from '../protection/keyring.ts';
import { createPayloadOpener } from '../protection/payload-opener.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import { createSetAsideWatch } from '../store/set-aside-watch.ts';
import { createAccessRecorder } from '../telemetry/access-recorder.ts';
import { createCheckpointSigner } from '../telemetry/health-reporter.ts';
import { configuredDestinations } from './export-destinations.ts';
import type { Recorder } from './recorder.ts';
import type { Store } from './store.ts';

export interface RunningAuditApi extends AuditApiServer {
  readonly api: AuditApi;
  /** Puts a change of the configuration into the access log. Rejects when it cannot be kept. */
  recordReload(settings: readonly string[]): Promise<void>;
  /** Takes over tokens, names of servers and prices. */
  reload(next: GatelensConfig): void;
}

export async function startAuditApi(options: {
  readonly config: GatelensConfig;
  readonly keyring: Keyring;
  readonly pseudonyms: Pseudonyms;
  readonly recorder: Recorder;
  readonly store: Store;
  readonly logger: Logger;
  readonly version: string;
}): Promise<RunningAuditApi> {
  const { config, keyring, logger, recorder } = options;
  const accessRecorder = createAccessRecorder({ telemetry: recorder.telemetry, logger });
  recorder.reportHealth(accessRecorder.counts);
  const tokensOf = ({ auditApi }: GatelensConfig) =>
    createAuditTokens({ configured: auditApi.tokens, file: auditTokenFile(config.dataDir), logger });
  let tokens = tokensOf(config);
  const configuredServers = Object.keys(config.mcpServers);
  let { cost } = config.usage;
  const state = openState(stateFile(config.dataDir));
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
  const refusals = createRefusalLog({ recorder: accessRecorder, clock, logger });
  const lookForSetAside = createSetAsideWatch(options.store.reader, logger);
  let looking = lookForSetAside();
  const settling = setInterval(() => {
    void refusals.settle();
    looking = looking.then(lookForSetAside);
  }, MINUTE_MS);
  settling.unref();
  try {
    const { grafana } = config.auditApi;
    const shared = {
      accessRecorder,
      opener: createPayloadOpener({ privateKey: (kekId) => keyring.privateKeys.get(kekId) }),
      clock,
      logger,
      version: options.version,
      retention: config.retention,
      state,
    };
    const { id, privateKey } = keyring.signingKey;
    const exporting = assembleExports({
      ...shared,
      ...options.store.exports,
      pseudonyms: options.pseudonyms,
      tokens: () => tokens.list(),
      destinations: configuredDestinations(config),
      secretKey: secretKeyOf(keyring),
      every: (intervalMs, tick) => {
        const timer = setInterval(tick, intervalMs);
        timer.unref();
        return () => clearInterval(timer);
      },
      signer: createCheckpointSigner(id, privateKey),
      signingKeyPem: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
    });
    const api = createAuditApi({
      ...shared,
      refusals,
      store: options.store.reader,
      pseudonyms: options.pseudonyms,
      tokens: () => tokens.list(),
      configuredServers,
      tokenPrices: () => cost,
      exporting,
      ...(grafana === undefined ? {} : { grafana: grafanaSettings(grafana) }),
    });
    const server = await startAuditApiServer(api, config.listen.auditApi);
    const close = async (): Promise<void> => {
      await exporting.close();
      await server.close();
      clearInterval(settling);
      await looking;
      await refusals.settle({ all: true });
      state.close();
    };
    return {
      ...server,
      api,
      close,
      recordReload: (settings) =>
        accessRecorder.record({
          action: 'settings.change',
          decision: 'allowed',
          actorKey: '',
          actorKind: 'none',
          roles: [],
          detail: { by: 'reload', settings },
        }),
      reload: (next) => {
        tokens = tokensOf(next);
        configuredServers.splice(0, Infinity, ...Object.keys(next.mcpServers));
        ({ cost } = next.usage);
      },
    };
  } catch (error) {
    clearInterval(settling);
    state.close();
    throw error;
  }
}

/** Seals secrets of destinations in the state file; from a secret that lies elsewhere. */
function secretKeyOf({ pseudonymSecret }: Keyring): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', pseudonymSecret, '', 'gatelens exports: secrets of destinations', 32));
}

function grafanaSettings(grafana: NonNullable<GatelensConfig['auditApi']['grafana']>): GrafanaSettings {
  const { url, issuer, jwksUrl, auditorTeams, adminViewTeams, ...rest } = grafana;
  const base = url.replace(/\/+$/, '');
  return {
    ...rest,
    url: base,
    // Grafana writes its root_url with a slash at the end, whatever is configured there
    issuers: issuer === undefined ? [base, `${base}/`] : [issuer],
    jwksUrl: jwksUrl ?? `${base}/api/signing-keys/keys`,
    roleMapping: { auditorTeams, adminViewTeams },
  };
}
