/**
 * Listener, relay and recorder as the product puts them together, in this process, without a store and without the audit
 * API: for tests that look at the spool, and for benchmarks. Anonymous callers, one upstream server.
 */
import { startGateway, type Gateway } from '../../src/assembly/gateway.ts';
import { openRecorder, type Recorder } from '../../src/assembly/recorder.ts';
import { parseConfig } from '../../src/config.ts';
import { silentLogger } from '../../src/logger.ts';
import type { CallObserver } from '../../src/mcp/observer.ts';
import { loadKeyring } from '../../src/protection/keyring.ts';
import { createPseudonyms } from '../../src/protection/pseudonyms.ts';
import { noDurationMetrics } from '../../src/telemetry/metrics.ts';

export interface RecordingGatewayOptions {
  readonly dataDir: string;
  /** name and URL of the server behind */
  readonly server: readonly [name: string, url: string];
  readonly durability: 'async' | 'before-reply';
  /** in place of one that records */
  readonly observer?: CallObserver;
}

export interface RecordingGateway {
  readonly gateway: Gateway;
  readonly recorder: Recorder;
  /** Opens what the recorder left on disk; close this one first. */
  readonly reopen: () => Promise<Recorder>;
}

export async function startRecordingGateway(options: RecordingGatewayOptions): Promise<RecordingGateway> {
  const { dataDir, server, durability, observer } = options;
  const [name, url] = server;
  const { config } = parseConfig(
    {
      listen: { mcp: '127.0.0.1:0' },
      dataDir,
      mcpServers: { [name]: { url } },
      auth: { anonymous: true },
      audit: { durability },
    },
    { env: {}, baseDir: dataDir, source: 'recording-gateway.ts' }
  );
  const keyring = loadKeyring({ dataDir });
  const parts = { config, keyring, logger: silentLogger, version: '0.0.0' };
  const reopen = (): Promise<Recorder> => openRecorder({ ...parts, component: 'gateway' });
  const recorder = await reopen();
  const gateway = await startGateway({
    ...parts,
    env: {},
    pseudonyms: createPseudonyms(keyring.pseudonymSecret),
    recorder,
    metrics: noDurationMetrics,
    ...(observer === undefined ? {} : { observer }),
  });
  return { gateway, recorder, reopen };
}
