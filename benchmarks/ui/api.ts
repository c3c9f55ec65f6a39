/**
 * The API half: how long the audit API takes for what the pages ask, over HTTP, as an admin and as a viewer, over a day, a
 * week and a month, with and without filters. One request at a time but for the last question, which is a page being opened.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createAuditApi } from '../../gateway/src/audit-api/app.ts';
import { assembleExports } from '../../gateway/src/audit-api/exports/assembly.ts';
import { startAuditApiServer } from '../../gateway/src/audit-api/server.ts';
import { openState } from '../../gateway/src/audit-api/state/state-file.ts';
import { silentLogger } from '../../gateway/src/logger.ts';
import { createPayloadOpener } from '../../gateway/src/protection/payload-opener.ts';
import { createStoreClient } from '../../gateway/src/store/client.ts';
import { createStoreReader } from '../../gateway/src/store/queries/clickhouse-reader.ts';
import { createStoreStreams } from '../../gateway/src/store/queries/row-stream.ts';
import { SERVERS, VIEWER } from './company.ts';
import { type FilledStore, RETENTION_MS } from './fill.ts';

const ROLES = ['admin', 'viewer'] as const;
const RANGES = ['24h', '7d', '30d'] as const;
type Role = (typeof ROLES)[number];
type Range = (typeof RANGES)[number];

const SERVER = SERVERS[1] ?? '';
/** What is measured against: the cheapest thing that the page asks for. */
const BASELINE = 'list, newest page';
/** Asks for somebody else's calls, which a viewer is refused. */
const ONE_USER = 'list, one user';
/** Paths as the pages make them; several are asked at once. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  [BASELINE]: ['calls?limit=100'],
  'list, one server, tool errors': [`calls?limit=100&server=${SERVER}&outcome=tool_error`],
  [ONE_USER]: ['calls?limit=100&user=person250%40example.com'],
  'list, slow calls': ['calls?limit=100&minDurationMs=3600000'],
  'list, text found': [`calls?limit=100&q=delete_${SERVER}`],
  'list, text not found': ['calls?limit=100&q=nowhere-to-be-found'],
  facets: ['facets?limit=20'],
  'facets, filtered': [`facets?limit=20&server=${SERVER}&notOutcome=success`],
  timeline: ['timeline?buckets=120'],
  'timeline, filtered': [`timeline?buckets=120&server=${SERVER}&notOutcome=success`],
  sessions: ['sessions?limit=50'],
  'usage summary': ['usage/summary?limit=1'],
  'usage summary, compared': ['usage/summary?limit=1&compare=previous'],
  'usage summary, one server': [`usage/summary?limit=1&server=${SERVER}`],
  'usage timeline': ['usage/timeline?buckets=60'],
  'usage servers': ['usage/servers?limit=200'],
  'usage tools': ['usage/tools?limit=200'],
  'usage users': ['usage/users?limit=200'],
  'usage clients': ['usage/clients?limit=200'],
  'usage concurrency': ['usage/concurrency?buckets=60&limit=100'],
  'audit log opened': ['calls?limit=100', 'facets?limit=20', 'timeline?buckets=120'],
};

export interface ApiCell {
  readonly question: string;
  readonly role: Role;
  readonly range: Range;
  /** of each request, in order */
  readonly ms: readonly number[];
  /** of the engine, a request; tells versions apart where other work slows everything. NaN where there is no /proc */
  readonly cpuMs: number;
  /** load of the machine over the last minute when it ended */
  readonly load: number;
}

export interface ApiOptions {
  readonly rounds: number;
  /** part of the names of questions */
  readonly only?: string;
  readonly onCell: (cell: ApiCell) => void;
  readonly load: () => number;
  /** told of what did not answer in time: its time counts all the same */
  readonly tell?: (line: string) => void;
}

export async function measureApi(filled: FilledStore, { rounds, only, onCell, load, tell }: ApiOptions): Promise<void> {
  const { store, pseudonyms } = filled;
  const client = createStoreClient({ url: store.url, ...store.credentials.gatelens_api });
  const secrets = { admin: randomBytes(24).toString('hex'), viewer: randomBytes(24).toString('hex') };
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const state = openState(':memory:');
  const reader = createStoreReader(client);
  const shared = {
    accessRecorder: { record: async () => Promise.resolve() },
    opener: createPayloadOpener({ privateKey: () => undefined }),
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
    logger: silentLogger,
    version: 'bench',
    retention: RETENTION_MS,
    state,
  };
  const api = createAuditApi({
    ...shared,
    store: reader,
    pseudonyms,
    tokens: () => ROLES.map((role) => ({ name: role, role, user: VIEWER, sha256: sha256(secrets[role]) })),
    configuredServers: SERVERS,
    exporting: assembleExports({
      ...shared,
      store: reader,
      pseudonyms,
      tokens: () => [],
      destinations: { configured: [], allowPrivate: false },
      secretKey: new Uint8Array(32),
      streams: createStoreStreams(client),
      signer: { keyId: 'bench', sign: () => '' },
      signingKeyPem: '',
    }),
  });
  const server = await startAuditApiServer(api, { host: '127.0.0.1', port: 0 });
  const ask = async (path: string, role: Role, range: Range): Promise<void> => {
    const url = `${server.url}/api/v1/${path}&from=now-${range}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${secrets[role]}` } });
    const body = await answer.text();
    if (answer.status >= 500) tell?.(`${path} as ${role} over ${range}: ${answer.status}`);
    else if (!answer.ok) throw new Error(`${path}: ${answer.status} ${body.slice(0, 300)}`);
  };
  try {
    for (const [question, paths] of Object.entries(QUESTIONS)) {
      if (only !== undefined && !question.includes(only)) continue;
      for (const range of RANGES) {
        for (const role of ROLES) {
          if (role === 'viewer' && question === ONE_USER) continue;
          const ms: number[] = [];
          let cpuFromMs = 0;
          // the first one is not counted: statements are parsed once, and files are read
          for (let round = -1; round < rounds; round += 1) {
            if (round === 0) cpuFromMs = engineCpuMs(store.pid());
            const startedMs = performance.now();
            await Promise.all(paths.map((path) => ask(path, role, range)));
            if (round >= 0) ms.push(performance.now() - startedMs);
          }
          const cpuMs = (engineCpuMs(store.pid()) - cpuFromMs) / rounds;
          onCell({ question, role, range, ms, cpuMs, load: load() });
        }
      }
    }
  } finally {
    await server.close();
    await client.close();
    state.close();
  }
}

/** Of all its threads; a tick is 10 ms. */
function engineCpuMs(pid: number | undefined): number {
  try {
    const [, fields = ''] = /\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? Number.NaN) + (system ?? Number.NaN)) * 10;
  } catch {
    return Number.NaN;
  }
}

/**
 * p50 and p95 in ms, over each range; `×` is the p50 against the newest page of the same range and role, CPU the
 * engine's ms a request.
 */
export function apiTable(cells: readonly ApiCell[]): string[] {
  const lines = [
    `| question | as | ${RANGES.flatMap((range) => [`${range} p50`, 'p95', '×', 'CPU']).join(' | ')} |`,
    `|---|---|${'---|'.repeat(RANGES.length * 4)}`,
  ];
  const find = (question: string, role: Role, range: Range): ApiCell | undefined =>
    cells.find((cell) => cell.question === question && cell.role === role && cell.range === range);
  for (const question of Object.keys(QUESTIONS)) {
    for (const role of ROLES) {
      const figures = RANGES.flatMap((range) => {
        const cell = find(question, role, range);
        if (cell === undefined) return ['', '', '', ''];
        const base = find(BASELINE, role, range);
        const ratio = base === undefined ? '' : (quantile(cell.ms, 0.5) / quantile(base.ms, 0.5)).toFixed(1);
        return [quantile(cell.ms, 0.5).toFixed(0), quantile(cell.ms, 0.95).toFixed(0), ratio, cell.cpuMs.toFixed(0)];
      });
      if (figures.some((figure) => figure !== '')) lines.push(`| ${question} | ${role} | ${figures.join(' | ')} |`);
    }
  }
  return lines;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}
