import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import type { CapturePolicy } from '../../src/protection/seams.ts';
import { createDataKeys } from '../../src/protection/data-keys.ts';
import { publicKeyOf } from '../../src/protection/data-key-wrapping.ts';
import { createPayloadOpener } from '../../src/protection/payload-opener.ts';
import { createPayloadSealer } from '../../src/protection/payload-sealer.ts';
import { createPseudonyms } from '../../src/protection/pseudonyms.ts';
import { createRedaction } from '../../src/protection/redaction.ts';
import { openSpool, type OpenedSpool } from '../../src/spool/open-spool.ts';
import { TelemetryCallObserver } from '../../src/telemetry/call-observer.ts';
import { recordInterrupted } from '../../src/telemetry/recovery.ts';
import { createAuditTelemetry, type AuditTelemetry } from '../../src/telemetry/sdk.ts';
import { success, toolCall } from './fake-seams.ts';
import { decodeLogs, decodeSpans, type DecodedLog, type DecodedSpan } from './otlp-decoder.ts';

const MARKER = 'Zanzibar-4711';
const privateKey = randomBytes(32);
const pseudonyms = createPseudonyms(randomBytes(32));
const full = () => ({ mode: 'full', maxBytes: 65_536 }) as const;
const capturePolicy: CapturePolicy = { decide: full, decideUnknownTool: full };

let folder: string;
const opened: OpenedSpool[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatelens-record-'));
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.spool.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(
  dir: string
): Promise<OpenedSpool & { telemetry: AuditTelemetry; observer: TelemetryCallObserver }> {
  const one = await openSpool({ dir, logger: silentLogger });
  opened.push(one);
  const telemetry = createAuditTelemetry({ spool: one.spool, service: { version: '0.1.0' } });
  const dataKeys = createDataKeys({ gateway: one.spool.chain.id, kekId: 'kek-1', publicKey: publicKeyOf(privateKey) });
  const observer = new TelemetryCallObserver({
    telemetry,
    pseudonyms,
    capturePolicy,
    sealer: createPayloadSealer({ dataKeys, pseudonyms, redaction: createRedaction() }),
    audit: { durability: 'before-reply', onFailure: 'refuse' },
    logger: silentLogger,
  });
  return { ...one, telemetry, observer };
}

/** Ships everything to a receiver and decodes what arrived. */
async function ship(one: OpenedSpool, wanted: number): Promise<{ spans: DecodedSpan[]; logs: DecodedLog[] }> {
  const spans: DecodedSpan[] = [];
  const logs: DecodedLog[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (request.url === '/v1/traces') spans.push(...decodeSpans(body));
      else logs.push(...decodeLogs(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  one.spool.startShipping({ metadata: { url }, payload: { url } });
  const until = performance.now() + 20_000;
  while (spans.length + logs.length < wanted && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  receiver.closeAllConnections();
  receiver.close();
  return { spans, logs };
}

describe('records with the real spool and the real seals', () => {
  it('reach the store chained, and an auditor with the private key opens what was sent', async () => {
    const gateway = await open(join(folder, 'spool'));
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { a: MARKER } }));
    for (let i = 0; i < 3; i += 1) {
      const call = gateway.observer.begin(toolCall({ requestBody: body }));
      await call.intent();
      call.upstreamStarted();
      await call.end(success);
    }
    const names = readdirSync(join(folder, 'spool'), { withFileTypes: true }).filter((entry) => entry.isFile());
    const onDisk = Buffer.concat(names.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
    expect(onDisk.includes(MARKER)).toBe(false);

    const { spans, logs } = await ship(gateway, 6 + 7);
    const records = spans.filter((span) => span.attributes['gatelens.kind'] === 'request');
    expect(records.map((span) => span.attributes['gatelens.chain.seq'])).toEqual([1, 2, 3]);
    expect(records.at(-1)?.attributes['gatelens.chain.hash']).toBe(gateway.spool.chain.head().hash);

    const [key, request] = logs;
    expect(key?.eventName).toBe('gatelens.data_key');
    const text = (name: string, log = request): string => String(log?.attributes[name]);
    const opener = createPayloadOpener({ privateKey: () => privateKey });
    const dataKey = await opener.unwrap({
      keyId: text('gatelens.data_key.id', key),
      subject: text('user.hash', key),
      gateway: text('gatelens.chain.id', key),
      epoch: text('gatelens.data_key.epoch', key),
      kekId: text('gatelens.data_key.kek_id', key),
      wrapped: key?.body as Uint8Array,
    });
    const opening = opener.open(
      {
        v: 1,
        alg: 'A256GCM',
        keyId: text('gatelens.envelope.key_id'),
        nonce: Buffer.from(text('gatelens.envelope.nonce'), 'base64'),
        comp: text('gatelens.envelope.comp') as 'none' | 'zstd',
        ct: request?.body as Uint8Array,
      },
      { callId: text('gatelens.call.id'), direction: 'request' },
      dataKey
    );
    expect(Buffer.from(opening.body).toString()).toBe(body.toString());
  });

  it('of calls that a crash cut off become interrupted, once, and the chain goes on', async () => {
    const gateway = await open(join(folder, 'spool'));
    const done = gateway.observer.begin(toolCall());
    await done.intent();
    await done.end(success);
    const cut = gateway.observer.begin(toolCall({ rpcId: '8' }));
    await cut.intent();
    // what a killed process leaves: its files, without the lock
    cpSync(join(folder, 'spool'), join(folder, 'after'), {
      recursive: true,
      filter: (path) => !/lock|owner/.test(path),
    });

    const after = await open(join(folder, 'after'));
    expect(after.unsettled.map((intent) => intent.callId)).toEqual([cut.callId]);
    await recordInterrupted(after.telemetry, after.unsettled, silentLogger);
    const next = after.observer.begin(toolCall({ rpcId: '9' }));
    await next.end(success);

    const { spans } = await ship(after, 3 + 5);
    const records = spans.filter((span) => span.attributes['gatelens.kind'] === 'request');
    expect(
      records.map((span) => [
        span.attributes['gatelens.call.id'],
        span.attributes['gatelens.outcome'],
        span.attributes['gatelens.chain.seq'],
      ])
    ).toEqual([
      [done.callId, 'success', 1],
      [cut.callId, 'interrupted', 2],
      [next.callId, 'success', 3],
    ]);
    await after.spool.close();
    opened.splice(opened.indexOf(after), 1);
    const again = await open(join(folder, 'after'));
    expect(again.unsettled).toEqual([]);
  });
});
