/**
 * The gateway under measurement: the listener and the relay of the product with, by argument, no recording at all
 * (`relay`), or recording with durability `async` or `before-reply`, payloads captured in full, shipped to a sink.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallObserver } from '../../gateway/src/mcp/observer.ts';
import { startRecordingGateway } from '../../gateway/test/telemetry/recording-gateway.ts';
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

const { gateway, recorder } = await startRecordingGateway({
  dataDir,
  server: ['bench', upstream],
  durability: mode === 'async' ? 'async' : 'before-reply',
  ...(mode === 'relay' ? { observer: noObserver } : {}),
});
recorder.ship({ url: sink, token: 'bench' }, { url: sink, token: 'bench' });
answerQuestions(Number(new URL(gateway.url).port), async () => {
  await gateway.close(500);
  await recorder.close(0);
  rmSync(dataDir, { recursive: true, force: true });
});
