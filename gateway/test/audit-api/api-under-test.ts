/**
 * The audit API on the real engine, for tests: an embedded store with the real schema, rows put in as the gateway would
 * make them, payloads really sealed, and a recorder that keeps what it is told.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { ClickHouseClient } from '@clickhouse/client';
import { createAuditApi } from '../../src/audit-api/app.ts';
import type { AuditToken } from '../../src/audit-api/caller.ts';
import type { GrafanaSettings } from '../../src/audit-api/deps.ts';
import type { DestinationDeps } from '../../src/audit-api/exports/destinations.ts';
import { assembleExports } from '../../src/audit-api/exports/assembly.ts';
import { openState } from '../../src/audit-api/state/state-file.ts';
import { silentLogger } from '../../src/logger.ts';
import { publicKeyOf } from '../../src/protection/data-key-wrapping.ts';
import { createDataKeys } from '../../src/protection/data-keys.ts';
import { createPayloadOpener } from '../../src/protection/payload-opener.ts';
import { createPayloadSealer } from '../../src/protection/payload-sealer.ts';
import { createPseudonyms } from '../../src/protection/pseudonyms.ts';
import { createRedaction } from '../../src/protection/redaction.ts';
import type { AccessEntry } from '../../src/record/access.ts';
import type { Direction } from '../../src/record/payload-events.ts';
import { createStoreClient } from '../../src/store/client.ts';
import { startEmbeddedStore } from '../../src/store/embedded/supervisor.ts';
import { migrate } from '../../src/store/migrations.ts';
import { createStoreReader } from '../../src/store/queries/clickhouse-reader.ts';
import type { StoreReader } from '../../src/store/queries/reader.ts';
import type { TokenPrices } from '../../src/store/queries/token-cost.ts';
import { createStoreStreams, type StoreStreams } from '../../src/store/queries/row-stream.ts';

const DAY_MS = 86_400_000;
const RETENTION_MS = {
  metadata: 400 * DAY_MS,
  payloads: 90 * DAY_MS,
  accessLog: 2555 * DAY_MS,
  traces: 3 * DAY_MS,
  usage: 1095 * DAY_MS,
};
export const NS = 1_000_000n;

const pseudonyms = createPseudonyms(new Uint8Array(32).fill(7));
export const userKey = (email: string): string => pseudonyms.hash('user', email);

export interface TestStore {
  readonly url: string;
  readonly admin: ClickHouseClient;
  readonly reader: StoreReader & StoreStreams;
  close(): Promise<void>;
}

export async function startTestStore(): Promise<TestStore> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatelens-api-'));
  const store = await startEmbeddedStore({ dataDir, logger: silentLogger });
  const admin = createStoreClient({ url: store.url, ...store.credentials.gatelens_admin });
  const client = createStoreClient({ url: store.url, ...store.credentials.gatelens_api });
  await migrate({ client: admin, target: { embedded: true, retentionMs: RETENTION_MS }, logger: silentLogger });
  return {
    url: store.url,
    admin,
    reader: { ...createStoreReader(client), ...createStoreStreams(client) },
    close: async () => {
      await Promise.all([admin.close(), client.close()]);
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A row of `mcp.calls`: a successful tool call unless said otherwise. */
export interface TestCall {
  readonly call_id: string;
  /** ns since 1970 */
  readonly startedNs: bigint;
  readonly email: string;
  readonly server: string;
  readonly [column: string]: unknown;
}

let seq = 0;
function callRow({ startedNs, email, ...columns }: TestCall): Record<string, unknown> {
  seq += 1;
  return {
    record_version: 1,
    kind: 'request',
    chain_id: 'gw',
    seq,
    phase: 'closed',
    started_at: clickhouseTime(startedNs),
    duration: 5_000_000,
    user_key: email === '' ? '' : userKey(email),
    auth_method: 'api_key',
    session_kind: 'none',
    operation: 'tools/call',
    tool: 'search',
    outcome: 'success',
    capture_mode: 'full',
    payload_state: 'none',
    ...columns,
  };
}

export function clickhouseTime(ns: bigint): string {
  const seconds = new Date(Number(ns / NS)).toISOString().slice(0, 19).replace('T', ' ');
  return `${seconds}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}`;
}

export async function insertCalls(store: TestStore, calls: readonly TestCall[]): Promise<void> {
  await store.admin.insert({ table: 'mcp.calls', format: 'JSONEachRow', values: calls.map(callRow) });
}

export async function insertPrincipals(store: TestStore, people: Readonly<Record<string, string>>): Promise<void> {
  const values = Object.entries(people).map(([email, login]) => ({
    user_key: userKey(email),
    email,
    login,
    name: login.toUpperCase(),
    seen_at: '2026-11-01 00:00:00.000',
  }));
  await store.admin.insert({ table: 'mcp_protected.principals', format: 'JSONEachRow', values });
}

/** UUIDv7 of a time, as the gateway makes them. */
export function callIdAt(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  const random = randomBytes(10).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

const privateKey = randomBytes(32);
const dataKeys = createDataKeys({ gateway: 'gw', kekId: 'kek-1', publicKey: publicKeyOf(privateKey) });
const sealer = createPayloadSealer({ dataKeys, pseudonyms, redaction: createRedaction() });
const opener = createPayloadOpener({ privateKey: (kekId) => (kekId === 'kek-1' ? privateKey : undefined) });

/** Seals both directions of a call and puts them in by the road of the collector. @returns columns for the call's row */
export async function insertPayload(
  store: TestStore,
  call: TestCall,
  bodies: Readonly<Record<Direction, string>>
): Promise<Record<string, unknown>> {
  const columns: Record<string, unknown> = { payload_state: 'sealed' };
  const values: object[] = [];
  for (const direction of ['request', 'response'] as const) {
    const body = Buffer.from(bodies[direction]);
    const subject = userKey(call.email);
    const sealed = await sealer.seal({
      callId: call.call_id,
      direction,
      subject,
      mode: 'full',
      format: 'json',
      headers: [['x-direction', direction]],
      chunks: [body],
      bytes: body.length,
    });
    const { envelope, newKey } = sealed;
    if (newKey !== undefined) {
      const { keyId, kekId, epoch, wrapped } = newKey;
      values.push({
        EventName: 'gatelens.data_key',
        Timestamp: clickhouseTime(call.startedNs),
        Body: Buffer.from(wrapped).toString('base64'),
        LogAttributes: {
          'gatelens.data_key.id': keyId,
          'user.hash': newKey.subject,
          'gatelens.chain.id': 'gw',
          'gatelens.data_key.epoch': epoch,
          'gatelens.data_key.kek_id': kekId,
        },
      });
    }
    values.push({
      EventName: `gatelens.payload.${direction}`,
      Timestamp: clickhouseTime(call.startedNs),
      Body: Buffer.from(envelope.ct).toString('base64'),
      LogAttributes: {
        'gatelens.call.id': call.call_id,
        'gatelens.payload.direction': direction,
        'gatelens.call.started_at': String(call.startedNs),
        'user.hash': subject,
        'gatelens.server.name': call.server,
        'gatelens.envelope.v': String(envelope.v),
        'gatelens.envelope.alg': envelope.alg,
        'gatelens.envelope.key_id': envelope.keyId,
        'gatelens.envelope.nonce': Buffer.from(envelope.nonce).toString('base64'),
        'gatelens.envelope.comp': envelope.comp,
        'gatelens.payload.sha256': sealed.sha256,
        'gatelens.payload.digest': sealed.digest,
        'gatelens.payload.bytes': String(body.length),
        'gatelens.capture.mode': 'full',
      },
    });
    columns[`${direction}_sha256`] = sealed.sha256;
  }
  await store.admin.insert({ table: 'mcp_protected.otel_logs', format: 'JSONEachRow', values });
  return columns;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The token of a role is its name, with dashes. */
export const TOKENS: readonly AuditToken[] = [
  { name: 'ana-cli', role: 'viewer', user: 'ana@example.com', sha256: sha256('viewer') },
  { name: 'stray', role: 'viewer', sha256: sha256('viewer-without-identity') },
  { name: 'boss', role: 'admin', user: 'ana@example.com', sha256: sha256('admin') },
  { name: 'siem', role: 'auditor', sha256: sha256('auditor') },
  { name: 'gh', role: 'auditor', servers: ['github'], sha256: sha256('auditor-of-github') },
  { name: 'gone', role: 'auditor', sha256: sha256('expired'), expires: '2026-01-01' },
];

export interface TestApi {
  readonly api: ReturnType<typeof createAuditApi>;
  readonly exporting: ReturnType<typeof assembleExports>;
  readonly recorded: AccessEntry[];
  get(path: string, token?: string): Promise<Response>;
}

export interface TestApiOptions {
  readonly wallMs?: () => number;
  readonly monotonicMs?: () => number;
  readonly grafana?: GrafanaSettings;
  readonly state?: DatabaseSync;
  readonly tokens?: () => readonly AuditToken[];
  readonly tokenPrices?: () => TokenPrices | undefined;
  readonly destinations?: Omit<DestinationDeps, 'nowMs'>;
  /** rejects: the access log cannot be written */
  readonly record?: (entry: AccessEntry) => Promise<void>;
}

const signingKey = generateKeyPairSync('ed25519');
export const signingKeyPem = signingKey.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const noStreams: StoreStreams = {
  stream: () => {
    throw new TypeError('this test has no streams');
  },
};

export function startTestApi(reader: StoreReader & Partial<StoreStreams>, over: TestApiOptions = {}): TestApi {
  const recorded: AccessEntry[] = [];
  const accessRecorder = {
    record: async (entry: AccessEntry) => {
      await over.record?.(entry);
      recorded.push(entry);
    },
  };
  const shared = {
    accessRecorder,
    opener,
    clock: { wallMs: over.wallMs ?? (() => Date.now()), monotonicMs: over.monotonicMs ?? (() => performance.now()) },
    logger: silentLogger,
    version: '0.0.0-test',
    retention: RETENTION_MS,
    state: over.state ?? openState(':memory:'),
  };
  const exporting = assembleExports({
    ...shared,
    store: reader,
    pseudonyms,
    tokens: () => over.tokens?.() ?? TOKENS,
    destinations: over.destinations ?? { configured: [], allowPrivate: false },
    secretKey: new Uint8Array(32).fill(9),
    streams: reader.stream === undefined ? noStreams : { stream: reader.stream },
    signer: {
      keyId: 'test-key',
      sign: (message) => sign(null, Buffer.from(message), signingKey.privateKey).toString('base64'),
    },
    signingKeyPem,
  });
  const api = createAuditApi({
    ...shared,
    store: reader,
    pseudonyms,
    tokens: () => over.tokens?.() ?? TOKENS,
    configuredServers: ['github', 'hr', 'never-called'],
    exporting,
    ...(over.tokenPrices === undefined ? {} : { tokenPrices: over.tokenPrices }),
    ...(over.grafana === undefined ? {} : { grafana: over.grafana }),
  });
  return {
    api,
    exporting,
    recorded,
    get: async (path, token) =>
      api.request(
        path,
        token === undefined ? {} : { headers: { Authorization: `Bearer ${token.replaceAll(' ', '-')}` } }
      ),
  };
}
