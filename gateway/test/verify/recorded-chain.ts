/**
 * Chains for the tests of verification, made by the real parts: spool, telemetry, checkpoints, delivery into a real
 * store. Each has a directory of its own and any clock a test needs.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/logger.ts';
import type { CallEnd, CallStart } from '../../src/mcp/observer.ts';
import type { PayloadSealer } from '../../src/protection/seams.ts';
import { openSpool, type OpenedSpool } from '../../src/spool/open-spool.ts';
import { createAccessRecorder, type AccessRecorder } from '../../src/telemetry/access-recorder.ts';
import { TelemetryCallObserver } from '../../src/telemetry/call-observer.ts';
import {
  createCheckpointSigner,
  startHealthReporter,
  type HealthReporter,
} from '../../src/telemetry/health-reporter.ts';
import { createAuditTelemetry } from '../../src/telemetry/sdk.ts';
import { createToolChangeRecorder } from '../../src/telemetry/tool-change-recorder.ts';
import type { ToolChangeRecorder } from '../../src/record/tool-changes.ts';
import type { TestStore } from '../store/test-store.ts';
import { FakeClock, fakePseudonyms, success, toolCall } from '../telemetry/fake-seams.ts';

const noSealer: PayloadSealer = {
  seal: () => {
    throw new TypeError('capture is off in these tests');
  },
};

export interface SigningPair {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newSigningPair(id: string): SigningPair {
  return { id, ...generateKeyPairSync('ed25519') };
}

export class RecordedChain {
  readonly dir: string;
  readonly clock: FakeClock;
  readonly observer: TelemetryCallObserver;
  readonly access: AccessRecorder;
  readonly health: HealthReporter;
  readonly toolChanges: ToolChangeRecorder;
  readonly #opened: OpenedSpool;

  private constructor(dir: string, opened: OpenedSpool, signer: SigningPair, wallMs: number) {
    this.dir = dir;
    this.#opened = opened;
    const clock = new FakeClock();
    clock.wall = wallMs;
    this.clock = clock;
    const telemetry = createAuditTelemetry({ spool: opened.spool, service: { version: '0.1.0' } });
    this.observer = new TelemetryCallObserver({
      telemetry,
      pseudonyms: fakePseudonyms,
      capturePolicy: {
        decide: () => ({ mode: 'off', maxBytes: 0 }),
        decideUnknownTool: () => ({ mode: 'off', maxBytes: 0 }),
      },
      sealer: noSealer,
      audit: { durability: 'before-reply', onFailure: 'refuse' },
      logger: silentLogger,
      clock,
    });
    this.access = createAccessRecorder({ telemetry, logger: silentLogger, clock });
    this.toolChanges = createToolChangeRecorder({ telemetry, clock });
    this.health = startHealthReporter({
      telemetry,
      component: 'gateway',
      counts: { seen: 0, recorded: 0, lost: 0, refused: 0 },
      signer: createCheckpointSigner(signer.id, signer.privateKey),
      logger: silentLogger,
      head: () => opened.spool.chain.durableHead(),
      clock,
      every: () => () => undefined,
    });
  }

  /** @param dir of an earlier one: the chain goes on there */
  static async open(signer: SigningPair, wallMs: number = Date.now(), dir?: string): Promise<RecordedChain> {
    const folder = dir ?? mkdtempSync(join(tmpdir(), 'gatelens-verify-'));
    return new RecordedChain(folder, await openSpool({ dir: folder, logger: silentLogger }), signer, wallMs);
  }

  get id(): string {
    return this.#opened.spool.chain.id;
  }

  /** Calls, one every 3 ms. @returns their ids, in the order of the chain */
  async calls(count: number, start: Partial<CallStart> = {}, end: Partial<CallEnd> = {}): Promise<string[]> {
    const ids: string[] = [];
    let waiting: Promise<void>[] = [];
    for (let n = 0; n < count; n += 1) {
      const call = this.observer.begin(toolCall({ rpcId: String(n), ...start }));
      this.clock.pass(3);
      waiting.push(call.end({ ...success, ...end }));
      ids.push(call.callId);
      if (waiting.length < 100) continue;
      await Promise.all(waiting);
      waiting = [];
    }
    await Promise.all(waiting);
    return ids;
  }

  /** Opened; `end` closes it. */
  async stream(): Promise<{ readonly callId: string; end(): Promise<void> }> {
    const call = this.observer.begin(toolCall({ kind: 'stream', method: 'stream' }));
    await call.intent();
    return {
      callId: call.callId,
      end: () => {
        this.clock.pass(5);
        return call.end({ outcome: 'success', httpStatus: 200 });
      },
    };
  }

  async sign(): Promise<void> {
    await this.health.report();
  }

  /** Everything on disk goes to the store; the spool is closed afterwards. */
  async deliver(store: TestStore): Promise<this> {
    const { metadata, payloads } = store.store.otlp;
    this.#opened.spool.startShipping({ metadata, payload: payloads });
    await this.#opened.spool.flush(60_000);
    const { backlogBytes } = this.#opened.spool.stats();
    await this.#opened.spool.close();
    if (backlogBytes !== 0) throw new Error(`not delivered: ${backlogBytes} bytes`);
    return this;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
