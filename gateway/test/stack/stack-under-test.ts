/**
 * The stack with nothing replaced but the ClickHouse server: store (the embedded engine by its HTTP endpoint), tap,
 * the real collector, and on demand Gatelens as a process that sends to it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import { GatelensProcess } from '../e2e/gatelens-process.ts';
import { type TestStore, startTestStore } from '../store/test-store.ts';
import { CollectorProcess, type CollectorOptions } from './collector-process.ts';
import { type StoreTap, startStoreTap } from './store-tap.ts';

export interface Stack {
  readonly test: TestStore;
  readonly tap: StoreTap;
  readonly collector: CollectorProcess;
  /** a Gatelens on the store and the collector; not started. @param config besides these two */
  gatelens(config: Omit<ConfigInput, 'listen' | 'dataDir' | 'store'>): GatelensProcess;
  stop(): Promise<void>;
}

/** Retries that a test can wait for. */
const QUICK = ['metadata', 'payloads'].map(
  (name) =>
    `exporters::clickhouse/${name}::retry_on_failure: { enabled: true, initial_interval: 50ms, max_interval: 300ms, max_elapsed_time: 0 }`
);

export async function createStack(options: Partial<CollectorOptions> = {}): Promise<Stack> {
  const test = await startTestStore({ migrated: true });
  const directory = mkdtempSync(join(tmpdir(), 'gatelens-stack-'));
  const tap = await startStoreTap(test.store.url);
  const { gatelens_ingest: metadata, gatelens_payload_ingest: payloads } = test.store.credentials;
  const collector = new CollectorProcess({
    directory,
    storeUrl: tap.url,
    passwords: { metadata: metadata.password, payloads: payloads.password },
    ...options,
    overlay: [...QUICK, ...(options.overlay ?? [])],
  });
  const processes: GatelensProcess[] = [];
  return {
    test,
    tap,
    collector,
    gatelens(config) {
      const { username, password } = test.store.credentials.gatelens_api;
      const otlp = { metadata: collector.target('metadata'), payloads: collector.target('payloads') };
      const process = new GatelensProcess({
        config: { ...config, store: { url: test.store.url, username, password }, otlp: { ...otlp, ...config.otlp } },
      });
      processes.push(process);
      return process;
    },
    async stop() {
      for (const process of processes) await process.dispose();
      await collector.kill('SIGKILL');
      await tap.close();
      await test.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
