/**
 * `gatelens export`: takes calls from the audit API into a file, filtered like the list. Written beside and renamed at
 * its end, so that nothing half stands under the final name; goes on where it broke off. Holds no rights of its own: the
 * token decides.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { GatelensError } from '../errors.ts';
import { EXPORT_COMPRESSIONS, EXPORT_FORMATS, PARQUET_ROWS } from '../exports/formats.ts';
import { findConfig, withConfigOptions, type ConfigOptions } from './common-options.ts';
import { UsageError, type CliContext } from './context.ts';
import { exportVerifyCommand } from './export-verify.ts';

interface ExportOptions extends ConfigOptions {
  readonly url?: string;
  readonly from: string;
  readonly to: string;
  readonly filter: readonly string[];
  readonly format: string;
  readonly compression: string;
  readonly columns?: string;
  readonly payloads?: boolean;
  readonly out?: string;
  readonly resume?: boolean;
}

const TOKEN = 'GATELENS_TOKEN';

export function exportCommand(context: CliContext): Command {
  const collect = (value: string, values: readonly string[]): string[] => [...values, value];
  return withConfigOptions(new Command('export'))
    .description('take calls into a file, filtered like the list; `export verify` checks files')
    .addOption(new Option('--url <url>', 'audit API; default: listen.auditApi of the configuration'))
    .addOption(new Option('--from <time>', 'RFC 3339 or now-7d').default('now-24h'))
    .addOption(new Option('--to <time>', 'exclusive').default('now'))
    .addOption(
      new Option('--filter <name=value>', 'as in /api/v1/calls, e.g. server=hr, notOutcome=success; repeatable')
        .argParser(collect)
        .default([], 'none')
    )
    .addOption(new Option('--format <format>').choices(EXPORT_FORMATS).default('jsonl'))
    .addOption(new Option('--compression <how>').choices(EXPORT_COMPRESSIONS).default('none'))
    .option('--columns <names>', 'with commas between; default: all')
    .option('--payloads', 'with requests and responses; auditors only')
    .option('-o, --out <file>', 'default: a name with the range, here')
    .option('--resume', 'go on with the unfinished file of --out, with the same other options')
    .addHelpText(
      'after',
      `
The token of the audit API is taken from ${TOKEN}. The signed manifest is written beside the file.

Examples:
  $ export ${TOKEN}=$(gatelens tokens create --name siem --role auditor)
  $ gatelens export --from now-7d --filter server=hr --compression zstd
  $ gatelens export --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z --format parquet
  $ gatelens export verify gatelens-calls-*.manifest.json`
    )
    .action((options: ExportOptions) => exportCalls(options, context))
    .addCommand(exportVerifyCommand(context));
}

interface Piece {
  readonly from: string;
  readonly to: string;
  readonly rows: number;
}

/** One file that is to be fetched. */
interface Wanted {
  readonly piece: Piece;
  /** left out: as the audit API names it */
  readonly out?: string;
}

async function exportCalls(options: ExportOptions, context: CliContext): Promise<void> {
  const api = apiOf(options, context);
  const { out } = options;
  if (options.resume === true && out === undefined) throw new UsageError('Name the unfinished file by --out.');
  const begun = options.resume === true && out !== undefined ? await begunFile(out, options, context) : undefined;
  if (begun !== undefined) {
    await fetchFiles(api, options, begun.wanted, context, begun);
    return;
  }
  const pieces = await piecesOf(api, options, { from: options.from, to: options.to });
  const wanted = pieces.map((piece, index) => ({
    piece,
    ...(out === undefined ? {} : { out: pieces.length === 1 ? out : numbered(out, index + 1) }),
  }));
  await fetchFiles(api, options, wanted, context);
}

/** e.g. `calls-0002.parquet` */
function numbered(out: string, number: number): string {
  const dot = out.lastIndexOf('.');
  const end = dot > out.lastIndexOf('/') + 1 ? dot : out.length;
  return `${out.slice(0, end)}-${String(number).padStart(4, '0')}${out.slice(end)}`;
}

interface Api {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

function apiOf(options: ExportOptions, context: CliContext): Api {
  const token = context.env[TOKEN];
  if (token === undefined || token === '') {
    throw new UsageError(`Put a token of the audit API into ${TOKEN}: gatelens tokens create --name me --role admin`);
  }
  let { url } = options;
  if (url === undefined) {
    const { host, port } = findConfig(options, context, false).loaded.config.listen.auditApi;
    url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
  return { url: `${url.replace(/\/+$/, '')}/api/v1/exports`, headers: { authorization: `Bearer ${token}` } };
}

function parametersOf(options: ExportOptions, piece: Pick<Piece, 'from' | 'to'>): URLSearchParams {
  const query = new URLSearchParams({ ...piece, format: options.format, compression: options.compression });
  query.delete('rows');
  if (options.columns !== undefined) query.set('columns', options.columns);
  if (options.payloads === true) query.set('payloads', 'true');
  for (const [name, value] of filtersOf(options)) query.append(name, value);
  return query;
}

function filtersOf({ filter }: ExportOptions): [string, string][] {
  return filter.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`--filter ${text}: write name=value, e.g. server=hr`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
}

/** The range with both ends fixed; several pieces where Parquet would be too long. */
async function piecesOf(api: Api, options: ExportOptions, range: { from: string; to: string }): Promise<Piece[]> {
  const filters: Record<string, string | string[]> = {};
  for (const [name, value] of filtersOf(options)) {
    const known = filters[name];
    filters[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  const body = { ...range, filters, format: options.format, payloads: options.payloads === true };
  const answer = await ask(`${api.url}/estimate`, {
    method: 'POST',
    headers: { ...api.headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const piece = (await answer.json()) as Piece;
  const [fromMs, toMs] = [Date.parse(piece.from), Date.parse(piece.to)];
  if (options.format !== 'parquet' || piece.rows <= PARQUET_ROWS || toMs - fromMs < 2000) {
    return [{ from: piece.from, to: piece.to, rows: piece.rows }];
  }
  const middle = new Date(Math.floor((fromMs + toMs) / 2000) * 1000).toISOString();
  return [
    ...(await piecesOf(api, options, { from: piece.from, to: middle })),
    ...(await piecesOf(api, options, { from: middle, to: piece.to })),
  ];
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, init);
  } catch (cause) {
    throw new GatelensError(
      'store_unavailable',
      'The audit API does not answer. Start Gatelens, or name it by --url.',
      {
        cause,
      }
    );
  }
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
  const message = body?.error?.message ?? 'No reason was given; is this the audit API?';
  throw new UsageError(`The audit API refused (${answer.status}): ${message}`);
}

interface Begun {
  /** the first of them is there in part */
  readonly wanted: readonly Wanted[];
  readonly bytes: number;
  /** of these bytes, hex */
  readonly sha256: string;
}

const partOf = (out: string): string => `${out}.part`;
const requestOf = (out: string): string => `${out}.part.json`;

async function fetchFiles(
  api: Api,
  options: ExportOptions,
  wanted: readonly Wanted[],
  context: CliContext,
  begun?: Begun
): Promise<void> {
  for (const index of wanted.keys()) {
    await fetchFile(api, options, wanted.slice(index), context, index === 0 ? begun : undefined);
  }
}

/** @param wanted the first of them is fetched now */
async function fetchFile(
  api: Api,
  options: ExportOptions,
  wanted: readonly Wanted[],
  context: CliContext,
  begun?: Begun
): Promise<void> {
  const [first] = wanted;
  if (first === undefined) return;
  const query = parametersOf(options, first.piece);
  const asked = query.toString();
  if (begun !== undefined && begun.bytes > 0) query.set('have', `${begun.bytes}~${begun.sha256}`);
  const answer = await ask(`${api.url}/stream?${query.toString()}`, { headers: { ...api.headers } });
  const name = /filename="([^"/\\]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'gatelens-calls';
  const out = resolve(context.cwd, first.out ?? name);
  if (existsSync(out)) throw new UsageError(`${out} is there already. Name another by --out, or move it away.`);
  await writeFile(requestOf(out), JSON.stringify({ asked, wanted }), { mode: 0o600 });
  const file = await open(partOf(out), begun === undefined ? 'w' : 'r+', 0o600);
  let bytes = begun?.bytes ?? 0;
  try {
    if (answer.body !== null) {
      for await (const chunk of answer.body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
        await file.write(chunk, 0, chunk.length, bytes);
        bytes += chunk.length;
      }
    }
    await file.datasync();
  } catch (cause) {
    throw new GatelensError(
      'store_unavailable',
      `The export broke off; ${partOf(out)} has what came. Go on with --resume --out ${out} and the same options.`,
      { cause }
    );
  } finally {
    await file.close();
  }
  await rename(partOf(out), out);
  await rm(requestOf(out), { force: true });
  const manifest = await manifestOf(api, answer.headers.get('x-gatelens-export'));
  if (manifest !== undefined) await writeFile(`${out}.manifest.json`, manifest, { mode: 0o600 });
  const beside = manifest === undefined ? 'There is no manifest: the audit API made none.' : 'Manifest beside it.';
  context.note(`${out}: ${bytes} bytes. ${beside}`);
}

/** The API finishes it with the last byte. */
async function manifestOf(api: Api, runId: string | null): Promise<string | undefined> {
  for (let attempt = 0; attempt < 50 && runId !== null; attempt++) {
    const answer = await fetch(`${api.url}/runs/${runId}/manifest`, { headers: { ...api.headers } });
    if (answer.ok) return `${JSON.stringify(await answer.json(), null, 2)}\n`;
    if (answer.status !== 404) return undefined;
    await new Promise((wake) => setTimeout(wake, 200));
  }
  return undefined;
}

/** @returns undefined when nothing was begun */
async function begunFile(name: string, options: ExportOptions, context: CliContext): Promise<Begun | undefined> {
  const out = resolve(context.cwd, name);
  if (!existsSync(partOf(out)) || !existsSync(requestOf(out))) return undefined;
  const { asked, wanted } = JSON.parse(await readFile(requestOf(out), 'utf8')) as Pick<Begun, 'wanted'> & {
    asked: string;
  };
  const [first] = wanted;
  if (first === undefined || parametersOf(options, first.piece).toString() !== asked) {
    throw new UsageError(`${partOf(out)} was begun with other options. Give the same ones, or remove it.`);
  }
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(partOf(out)) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  // where the audit API had named it, it is named so still
  return { wanted: [{ ...first, out }, ...wanted.slice(1)], bytes, sha256: hash.digest('hex') };
}
