/**
 * How fast an export is, what it costs in memory, and what pages notice of it. Over HTTP, from the embedded store: this
 * process is the audit API, the store is its child, and the reader is a third process, so that reading costs the API
 * nothing but sending. Prints a table; README.md says what it means.
 */
import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAuditApi } from '../../gateway/src/audit-api/app.ts';
import { assembleExports } from '../../gateway/src/audit-api/exports/assembly.ts';
import { startAuditApiServer } from '../../gateway/src/audit-api/server.ts';
import { openState } from '../../gateway/src/audit-api/state/state-file.ts';
import { silentLogger } from '../../gateway/src/logger.ts';
import { createPayloadOpener } from '../../gateway/src/protection/payload-opener.ts';
import { createPseudonyms } from '../../gateway/src/protection/pseudonyms.ts';
import { createStoreClient } from '../../gateway/src/store/client.ts';
import { startEmbeddedStore } from '../../gateway/src/store/embedded/supervisor.ts';
import { migrate } from '../../gateway/src/store/migrations.ts';
import { createStoreReader } from '../../gateway/src/store/queries/clickhouse-reader.ts';
import { createStoreStreams } from '../../gateway/src/store/queries/row-stream.ts';
import { fillCalls, fillPayloads, PRIVATE_KEY, RETENTION_MS } from './fill.ts';

const { values: sizes } = parseArgs({
  options: { rows: { type: 'string', default: '400000' }, 'payload-mb': { type: 'string', default: '96' } },
});
const ROWS = Number(sizes.rows);
const PAYLOAD_MB = Number(sizes['payload-mb']);
const TOKEN = randomBytes(24).toString('hex');

const dataDir = mkdtempSync(join(tmpdir(), 'gatelens-bench-export-'));
const embedded = await startEmbeddedStore({ dataDir, logger: silentLogger });
const admin = createStoreClient({
  url: embedded.url,
  ...embedded.credentials.gatelens_admin,
  requestTimeoutMs: 600_000,
});
const client = createStoreClient({
  url: embedded.url,
  ...embedded.credentials.gatelens_api,
  requestTimeoutMs: 600_000,
});
await migrate({ client: admin, target: { embedded: true, retentionMs: RETENTION_MS }, logger: silentLogger });

const reader = createStoreReader(client);
const keys = generateKeyPairSync('ed25519');
const pseudonyms = createPseudonyms(new Uint8Array(32).fill(7));
const tokens = () => [
  { name: 'bench', role: 'auditor' as const, sha256: createHash('sha256').update(TOKEN).digest('hex') },
];
const shared = {
  accessRecorder: { record: async () => Promise.resolve() },
  opener: createPayloadOpener({ privateKey: () => PRIVATE_KEY }),
  clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
  logger: silentLogger,
  version: 'bench',
  retention: RETENTION_MS,
  state: openState(':memory:'),
  pseudonyms,
  tokens,
};
const exporting = assembleExports({
  ...shared,
  store: reader,
  streams: createStoreStreams(client),
  destinations: { configured: [], allowPrivate: false },
  secretKey: randomBytes(32),
  signer: { keyId: 'bench', sign: (message) => sign(null, Buffer.from(message), keys.privateKey).toString('base64') },
  signingKeyPem: '',
});
const api = createAuditApi({ ...shared, store: reader, configuredServers: [], exporting });
const server = await startAuditApiServer(api, { host: '127.0.0.1', port: 0 });

interface Taken {
  readonly bytes: number;
  readonly seconds: number;
  readonly peakRssMb: number;
  /** of the audit API */
  readonly apiCpuSeconds: number;
  readonly storeCpuSeconds: number;
  readonly latencyMs: readonly number[];
}

/**
 * Reads everything into one buffer and counts it: no parsing, nothing kept, so that the cores are left to what is
 * measured. Says how many bytes came, head and framing included, and whether the answer came to its end.
 */
const READER = `import { connect } from 'node:net';
const url = new URL(process.argv[1]); let n = 0; let start = ''; let end = '';
const socket = connect({ host: url.hostname, port: Number(url.port), onread: { buffer: Buffer.alloc(1 << 20), callback: (length, buffer) => {
  if (n === 0) start = buffer.toString('latin1', 0, 12);
  end = (end + buffer.toString('latin1', Math.max(0, length - 5), length)).slice(-5); n += length;
  if (end === '0\\r\\n\\r\\n') socket.end();
  return true; } } });
socket.on('close', () => { if (!start.endsWith('200') || end !== '0\\r\\n\\r\\n') throw new Error('broke off: ' + start); console.log(n); });
socket.write('GET ' + url.pathname + url.search + ' HTTP/1.1\\r\\nHost: ' + url.host + '\\r\\nAuthorization: Bearer ' + process.argv[2] + '\\r\\nConnection: close\\r\\n\\r\\n');`;

function read(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', READER, `${server.url}/api/v1/exports/stream?${path}`, TOKEN],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      }
    );
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.on('close', (code) =>
      code === 0 ? resolve(Number(out)) : reject(new Error(`the reader ended with ${code}`))
    );
  });
}

/** What a page asks for first. */
async function page(): Promise<number> {
  const startedMs = performance.now();
  const answer = await fetch(`${server.url}/api/v1/calls?limit=100`, { headers: { authorization: `Bearer ${TOKEN}` } });
  await answer.text();
  return performance.now() - startedMs;
}

/** Seldom enough that what pages cost is no part of the figures. */
const PAGE_EVERY_MS = 1000;
const TICKS_A_SECOND = 100;
/** Of the store process, a child of this one; 0 where the system does not tell. */
function storeCpuSeconds(): number {
  try {
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
    const ticks = children.map((pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return Number(fields[11]) + Number(fields[12]);
    });
    // the reader is a child too, and costs little next to it
    return Math.max(...ticks) / TICKS_A_SECOND;
  } catch {
    return 0;
  }
}

async function take(path: string): Promise<Taken> {
  const over = new AbortController();
  let peak = 0;
  const latencyMs: number[] = [];
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
  const pages = (async () => {
    while (!over.signal.aborted) {
      latencyMs.push(await page());
      await new Promise((wake) => setTimeout(wake, PAGE_EVERY_MS));
    }
  })();
  const cpu = process.cpuUsage();
  const storeCpu = storeCpuSeconds();
  const startedMs = performance.now();
  const bytes = await read(path);
  const seconds = (performance.now() - startedMs) / 1000;
  const used = process.cpuUsage(cpu);
  over.abort();
  clearInterval(watch);
  await pages;
  return {
    bytes,
    seconds,
    peakRssMb: peak / 1e6,
    apiCpuSeconds: (used.user + used.system) / 1e6,
    storeCpuSeconds: storeCpuSeconds() - storeCpu,
    latencyMs,
  };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const load = (): string => (loadavg()[0] ?? 0).toFixed(1);
const lines: string[] = [];
const say = (what: string, rows: number, plainMb: number, taken: Taken, idleMs: number): void => {
  lines.push(
    `| ${what} | ${Math.round(rows / taken.seconds)} | ${Number.isNaN(plainMb) ? '' : Math.round(plainMb / taken.seconds)} | ${taken.seconds.toFixed(1)} | ${Math.round(taken.peakRssMb)} | ${taken.apiCpuSeconds.toFixed(1)} + ${taken.storeCpuSeconds.toFixed(1)} | ${Math.round(rows / (taken.apiCpuSeconds + taken.storeCpuSeconds))} | ${Math.round(idleMs)} → ${Math.round(median(taken.latencyMs))} (${taken.latencyMs.length}) | ${load()} |`
  );
  process.stdout.write(`${lines.at(-1) ?? ''}\n`);
};

try {
  process.stdout.write(
    '| export | rows/s | MB/s plaintext | s | peak RSS of the API, MB | CPU, API + store, s | rows per CPU second | page, median ms, idle → meanwhile (of) | load |\n'
  );
  process.stdout.write('| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n');
  await fillCalls(admin, ROWS);
  for (let warm = 0; warm < 3; warm++) await page();
  const idle: number[] = [];
  for (let round = 0; round < 15; round++) idle.push(await page());
  const idleMs = median(idle);
  for (const compression of ['none', 'zstd']) {
    const taken = await take(`from=now-30d&format=jsonl&compression=${compression}`);
    say(
      `metadata, JSONL, ${compression}`,
      ROWS,
      compression === 'none' ? taken.bytes / 1e6 : Number.NaN,
      taken,
      idleMs
    );
  }
  for (const bodyBytes of [2048, 65_536]) {
    const count = Math.max(200, Math.min(20_000, Math.floor((PAYLOAD_MB * 1e6) / bodyBytes / 2)));
    const from = await fillPayloads(admin, pseudonyms, count, bodyBytes);
    const taken = await take(`${from}&payloads=true&format=jsonl`);
    say(`payloads of ${bodyBytes / 1024} KiB, events`, count * 2, (count * 2 * bodyBytes) / 1e6, taken, idleMs);
  }
} finally {
  await exporting.close();
  await server.close();
  await Promise.all([admin.close(), client.close()]);
  await embedded.close();
  rmSync(dataDir, { recursive: true, force: true });
}
