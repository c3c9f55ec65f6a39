/**
 * What is started, in which order, and how it ends. Keys, then spools (nothing passes that cannot be recorded), then the
 * store, then whoever listens; ends in the opposite order. Reads no file and no environment: the CLI hands both in.
 */
import { startAuditApi, type RunningAuditApi } from './assembly/audit-api.ts';
import { startGateway, type Gateway } from './assembly/gateway.ts';
import { startGatewayMetrics } from './assembly/metrics.ts';
import { openRecorder } from './assembly/recorder.ts';
import { changedSettings, requireReloadable } from './assembly/reload.ts';
import { openStore } from './assembly/store.ts';
import type { Environment, GatelensConfig } from './config.ts';
import type { Logger } from './logger.ts';
import type { Upstream } from './mcp/exchange.ts';
import { AuditLogUpstream } from './mcp-server/audit-log-upstream.ts';
import { OWN_SERVER } from './mcp-server/audit-log-server.ts';
import { loadKeyring } from './protection/keyring.ts';
import { createPseudonyms } from './protection/pseudonyms.ts';

export interface StartOptions {
  readonly config: GatelensConfig;
  /** for the few variables that stdio servers inherit */
  readonly env: Environment;
  readonly logger: Logger;
  readonly version: string;
  /** omitted: both */
  readonly only?: 'gateway' | 'audit-api';
}

export interface Gatelens {
  readonly urls: {
    readonly mcp?: string;
    readonly auditApi?: string;
    readonly metrics?: string;
    readonly store: string;
  };
  /** things that work but should be known, a sentence each */
  readonly warnings: readonly string[];
  /**
   * Serves by another configuration from now on; sessions of servers whose entry is the same go on.
   * @returns the settings that changed
   * @throws GatelensError `config_invalid` when some of them take a restart, `audit_unavailable` when the change cannot
   * be recorded; then nothing has changed
   */
  reload(next: GatelensConfig): Promise<readonly string[]>;
  /** Ends politely; idempotent. */
  close(): Promise<void>;
}

/** @throws GatelensError with what to do; everything that was started is ended again */
export async function startGatelens(options: StartOptions): Promise<Gatelens> {
  const { config, logger, version, only } = options;
  const endings: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const end of endings.splice(0).reverse()) {
      await end().catch((error: unknown) => {
        logger.error('shutdown.step_failed', { error: error instanceof Error ? error.name : 'unknown' });
      });
    }
  };

  try {
    const keyring = loadKeyring({
      dataDir: config.dataDir,
      ...(config.encryption === undefined ? {} : { encryption: config.encryption }),
    });
    const pseudonyms = createPseudonyms(keyring.pseudonymSecret);
    const recorderOptions = { config, keyring, logger, version };
    const graceMs = config.limits.shutdownTimeout;
    let gateway: Gateway | undefined;
    let auditApi: RunningAuditApi | undefined;
    let metricsUrl: string | undefined;
    const ownServers = new Map<string, Upstream>();

    // The spools close after everything that writes to them, and before the store they ship to.
    const gatewayRecorder =
      only === 'audit-api' ? undefined : await openRecorder({ ...recorderOptions, component: 'gateway' });
    const apiRecorder =
      only === 'gateway' ? undefined : await openRecorder({ ...recorderOptions, component: 'audit-api' });
    const recorders = [gatewayRecorder, apiRecorder].filter((one) => one !== undefined);
    const closeRecorders = () => Promise.all(recorders.map((one) => one.close(graceMs / 2))).then(() => undefined);
    const store = await openStore(config, logger).catch(async (error: unknown) => {
      await closeRecorders();
      throw error;
    });
    endings.push(() => store.close(), closeRecorders);
    for (const recorder of recorders) recorder.ship(store.metadata, store.payloads);

    if (apiRecorder !== undefined) {
      const started = await startAuditApi({
        config,
        keyring,
        pseudonyms,
        recorder: apiRecorder,
        store,
        logger,
        version,
      });
      endings.push(() => started.close());
      auditApi = started;
      ownServers.set(OWN_SERVER, new AuditLogUpstream({ api: started.api, logger, version }));
    }
    if (gatewayRecorder !== undefined) {
      const metrics = await startGatewayMetrics({ config, version, recorder: gatewayRecorder });
      endings.push(() => metrics.close());
      metricsUrl = metrics.url;
      const started = await startGateway({
        config,
        env: options.env,
        keyring,
        pseudonyms,
        recorder: gatewayRecorder,
        metrics: metrics.durations,
        ownServers,
        logger,
      });
      gateway = started;
      const leftOut = () => started.leftOut();
      metrics.observe(started.observer.counts, leftOut);
      gatewayRecorder.reportHealth(started.observer.counts, {
        leftOut,
        onTick: () => started.observer.sweepSessions(),
      });
      endings.push(() => started.close(graceMs));
    }
    const urls = {
      store: store.url,
      ...(gateway === undefined ? {} : { mcp: gateway.url }),
      ...(auditApi === undefined ? {} : { auditApi: auditApi.url }),
      ...(metricsUrl === undefined ? {} : { metrics: metricsUrl }),
    };
    logger.info('listening', urls);
    let current = config;
    let reloading: Promise<unknown> = Promise.resolve();
    const reload = async (next: GatelensConfig): Promise<readonly string[]> => {
      const changed = changedSettings(current, next);
      if (changed.length === 0) return changed;
      requireReloadable(changed);
      await auditApi?.recordReload(changed);
      const servers = gateway?.reload(next);
      auditApi?.reload(next);
      current = next;
      logger.info('config_reloaded', {
        settings: changed.join(' '),
        added: servers?.added.length ?? 0,
        removed: servers?.removed.length ?? 0,
        changed: servers?.changed.length ?? 0,
      });
      return changed;
    };
    return {
      urls,
      warnings: keyring.warnings,
      // one after the other
      reload: (next) => {
        const done = reloading.then(() => reload(next));
        reloading = done.catch(() => undefined);
        return done;
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
