/**
 * The gateway under measurement: the listener and the relay of the product with, by argument, no recording at all
 * (`relay`), or recording with durability `async` or `before-reply`, payloads captured in full, shipped to a sink.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from '../../gateway/src/assembly/gateway.ts';
import { openRecorder } from '../../gateway/src/assembly/recorder.ts';
import { parseConfig } from '../../gateway/src/config.ts';
import { silentLogger } from '../../gateway/src/logger.ts';
import type { CallObserver } from '../../gateway/src/mcp/observer.ts';
import { loadKeyring } from '../../gateway/src/protection/keyring.ts';
import { createPseudonyms } from '../../gateway/src/protection/pseudonyms.ts';
import { noDurationMetrics } from '../../gateway/src/telemetry/metrics.ts';
import { answerQuestions } from './child.ts';

const [mode = 'relay', upstream = '', sink = ''] = process.argv.slice(2);
const dataDir = mkdtempSync(join(tmpdir(), 'gatelens-bench-'));

const done = Promise.resolve();
const noObserver: CallObserver = {
  begin: () => ({
    callId: '',
    upstreamTrace: {},
    captureBytes: 0,
    intent: () => done,
    hurry: () => undefined,
    upstreamStarted: () => undefined,
    end: () => done,
  }),
};

const { config } = parseConfig(
  {
    listen: { mcp: '127.0.0.1:0' },
    dataDir,
    mcpServers: { bench: { url: upstream } },
    auth: { anonymous: true },
    audit: { durability: mode === 'async' ? 'async' : 'before-reply' },
  },
  { env: {}, baseDir: dataDir, source: 'the benchmark' }
);
const keyring = loadKeyring({ dataDir });
const options = { config, keyring, logger: silentLogger, version: '0.0.0' };
const recorder = await openRecorder({ ...options, component: 'gateway' });
recorder.ship({ url: sink, token: 'bench' }, { url: sink, token: 'bench' });
const gateway = await startGateway({
  ...options,
  env: {},
  pseudonyms: createPseudonyms(keyring.pseudonymSecret),
  recorder,
  metrics: noDurationMetrics,
  ...(mode === 'relay' ? { observer: noObserver } : {}),
});
answerQuestions(Number(new URL(gateway.url).port), async () => {
  await gateway.close(500);
  await recorder.close(0);
  rmSync(dataDir, { recursive: true, force: true });
});
