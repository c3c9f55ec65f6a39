/**
 * Records what the built collector's exporter sends to the store (exporter-requests.ts says what for). Run by hand
 * after a change of the collector's version: `node gateway/test/stack/record-exporter-requests.ts`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../e2e/until.ts';
import { logsBytes, send, tracesBytes } from '../store/otlp-bytes.ts';
import { startTestStore } from '../store/test-store.ts';
import { CollectorProcess } from './collector-process.ts';
import { type ExporterRequest, exporterRequest, writeRecording } from './exporter-requests.ts';
import { eventShapes, spanShapes } from './record-shapes.ts';
import { startStoreTap } from './store-tap.ts';

const traces = tracesBytes([...spanShapes(false).values()]);
const logs = logsBytes([...eventShapes(false).values()]);

async function record(compress: string): Promise<{ client: string; requests: ExporterRequest[] }> {
  const test = await startTestStore({ migrated: true });
  const directory = mkdtempSync(join(tmpdir(), 'gatelens-recording-'));
  const tap = await startStoreTap(test.store.url);
  const { gatelens_ingest: metadata, gatelens_payload_ingest: payloads } = test.store.credentials;
  const collector = new CollectorProcess({
    directory,
    storeUrl: tap.url,
    passwords: { metadata: metadata.password, payloads: payloads.password },
    reportEveryMs: 3_600_000,
    overlay: ['metadata', 'payloads'].map((name) => `exporters::clickhouse/${name}::compress: ${compress}`),
  });
  try {
    await collector.start();
    await send(collector.target('metadata'), 'traces', traces);
    await send(collector.target('payloads'), 'logs', logs);
    const inserts = () => tap.requests.filter((one) => one.url.includes('INSERT')).length;
    await until(() => inserts() >= 2, 'both are inserted', 20_000);
    return {
      client: tap.requests[0]?.headers['user-agent'] ?? '',
      requests: tap.requests.map(exporterRequest),
    };
  } finally {
    await collector.kill('SIGTERM');
    await tap.close();
    await test.stop();
    rmSync(directory, { recursive: true });
  }
}

const none = await record('none');
const gzip = await record('gzip');
writeRecording({
  client: none.client,
  otlp: { tracesBase64: traces.toString('base64'), logsBase64: logs.toString('base64') },
  requests: { none: none.requests, gzip: gzip.requests },
});
