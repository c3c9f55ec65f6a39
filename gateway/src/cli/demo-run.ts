/**
 * What `gatelens demo` does: plays on the Gatelens that runs on this data directory, else starts one and leaves it
 * running; with --history rows of past days come first. Prints what the audit API says about it afterwards.
 */
import type { GatelensConfig, LoadedConfig } from '../config.ts';
import { createAuditLogReader, type DemoCall } from '../demo/audit-log.ts';
import { makeDemoCredentials, type DemoCredentials } from '../demo/demo-credentials.ts';
import { addHistory, type AddedHistory } from '../demo/history/add-history.ts';
import { startHttpServer } from '../demo/http-process.ts';
import { PEOPLE } from '../demo/people.ts';
import { perform } from '../demo/perform.ts';
import { missingOutcomes, outcomeTable, peopleTable, type TextTable } from '../demo/summary.ts';
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Gatelens } from '../main.ts';
import { findConfig, type ConfigOptions } from './common-options.ts';
import { UsageError, type CliContext } from './context.ts';
import { createDemoLogger } from './demo-logger.ts';
import { demoConfig, findRunning, localUrl, type RunningGatelens } from './demo-target.ts';
import { makeSampleFiles, sampleDirectory, type QuickStartTokens } from './quick-start.ts';
import type { StartService } from './serve.ts';
import { firstCall, startMessage } from './start-message.ts';
import { closeInTime, stopRequests } from './stop.ts';
import { textTable } from './text-table.ts';

export interface DemoOptions extends Omit<ConfigOptions, 'mcpConfig'> {
  readonly history?: boolean;
  readonly days: number;
  readonly exit?: boolean;
}

interface DemoParts {
  readonly context: CliContext;
  readonly version: string;
  readonly startService: StartService;
}

/** What is settled before it is known where the demo plays. */
interface Prepared extends DemoParts {
  readonly loaded: LoadedConfig;
  readonly quickStart: QuickStartTokens | undefined;
  readonly credentials: DemoCredentials;
  /** resolves when the person wants it to end */
  readonly stop: Promise<void>;
}

/** @throws UsageError and GatelensError, for the CLI to put into words */
export async function runDemo(options: DemoOptions, parts: DemoParts): Promise<void> {
  const { context } = parts;
  const { loaded, quickStart } = findConfig(options, context, true);
  const { dataDir } = loaded.config;
  makeSampleFiles(dataDir);
  const stop = stopRequests(context);
  const credentials = makeDemoCredentials(dataDir, context.now());
  const prepared = { ...parts, loaded, quickStart, credentials, stop };
  try {
    const running = await findRunning(loaded.config, credentials.apiKeyOf(PEOPLE.nightly));
    if (running === undefined) await playOnOwn(options, prepared);
    else await playOnRunning(options, prepared, running);
  } finally {
    credentials.forget();
  }
}

async function playOnRunning(options: DemoOptions, prepared: Prepared, running: RunningGatelens): Promise<void> {
  const { context, loaded, quickStart, credentials, stop } = prepared;
  if (options.history === true) {
    throw new UsageError(
      `A Gatelens is running at ${running.mcpUrl}, and the history needs the data directory for itself. Stop it, then run this again: the demo starts it anew.`
    );
  }
  context.note(`A Gatelens runs at ${running.mcpUrl} on this data directory: the calls are made there.`);
  const { dataDir } = loaded.config;
  const calls = await unlessStopped(play({ ...running, dataDir, credentials, overHttp: false, context }), stop);
  if (calls === undefined) return;
  context.print(`\n${firstCall(running.auditApiUrl, quickStart).join('\n')}\n`);
  complainOf(calls);
}

async function playOnOwn(options: DemoOptions, prepared: Prepared): Promise<void> {
  const { context, version, loaded, stop } = prepared;
  const { logger, speak } = createDemoLogger(context);
  const history = options.history === true ? await makeHistory(options.days, logger, prepared) : undefined;
  const http = await startHttpServer(context.nodePath);
  let service: Gatelens | undefined;
  try {
    context.note('Starting Gatelens …');
    const config = await demoConfig(loaded, http.url, context);
    service = await prepared.startService({ config, logger, version, env: context.env });
    const calls = await unlessStopped(playOn(service, config.dataDir, history, prepared), stop);
    if (calls === undefined) return;
    tellNext(options, prepared, { config, service, history });
    if (options.exit !== true) {
      speak();
      await stop;
    }
    complainOf(calls);
  } finally {
    if (service !== undefined) await closeInTime(service, loaded.config.limits.shutdownTimeout, context);
    await http.close();
  }
}

async function makeHistory(days: number, logger: Logger, prepared: Prepared): Promise<AddedHistory> {
  const { context, version, loaded, stop } = prepared;
  let stopped = false;
  void stop.then(() => (stopped = true));
  context.note(`Writing the history of ${days} days …`);
  const history = await addHistory({
    config: loaded.config,
    days,
    now: context.now(),
    logger,
    version,
    onDay: (day, rows) => context.note(`  ${day}  ${rows} rows`),
    stopped: () => stopped,
  });
  if (history.rowsAdded === 0) context.note('  All of these days are there already.');
  return history;
}

async function playOn(
  { urls }: Gatelens,
  dataDir: string,
  history: AddedHistory | undefined,
  { credentials, context }: Prepared
): Promise<readonly DemoCall[]> {
  const [mcpUrl, auditApiUrl] = [localUrlOf(urls.mcp), localUrlOf(urls.auditApi)];
  const calls = await play({ mcpUrl, auditApiUrl, dataDir, credentials, overHttp: true, context });
  if (history !== undefined) await tellHistory(history, auditApiUrl, credentials.auditToken, context);
  return calls;
}

/** How to go on from here: what runs, or how to start it again. */
function tellNext(
  options: DemoOptions,
  { context, version, loaded, quickStart }: Prepared,
  own: { readonly config: GatelensConfig; readonly service: Gatelens; readonly history: AddedHistory | undefined }
): void {
  const { config, service, history } = own;
  const warnings = [...(history?.warnings ?? []), ...service.warnings];
  if (options.exit === true) {
    for (const warning of warnings) context.note(`Note: ${warning}`);
    context.print(`\nTo look at them, start it on the same data:\n  ${serveCommand(options)}\n`);
    return;
  }
  const source = quickStart === undefined ? `${loaded.source} and the sample servers` : loaded.source;
  const running = { urls: service.urls, warnings };
  context.print(`\n${startMessage(version, { ...loaded, source, config }, running, quickStart)}`);
  context.note('Running until Ctrl-C.');
}

/** Names what was named to the demo, so that the same data is found from the same directory. */
function serveCommand({ config, dataDir }: DemoOptions): string {
  const quoted = (path: string) => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
  const named = [
    ...(config === undefined ? [] : ['--config', quoted(config)]),
    ...(dataDir === undefined ? [] : ['--data-dir', quoted(dataDir)]),
  ];
  return ['npx gatelens serve', ...named].join(' ');
}

/** @returns undefined when the person wanted it to end first */
async function unlessStopped<T>(work: Promise<T>, stop: Promise<void>): Promise<T | undefined> {
  work.catch(() => undefined);
  return Promise.race([work, stop.then((): undefined => undefined)]);
}

interface Play {
  readonly mcpUrl: string;
  readonly auditApiUrl: string;
  readonly dataDir: string;
  readonly credentials: DemoCredentials;
  readonly overHttp: boolean;
  readonly context: CliContext;
}

/** Makes the calls and prints what the audit log has of them. */
async function play(options: Play): Promise<readonly DemoCall[]> {
  const { context, credentials, auditApiUrl } = options;
  const startedMs = context.now().getTime();
  context.note(`Making calls at ${options.mcpUrl}/mcp/… :`);
  const { requestsSent } = await perform({
    mcpUrl: options.mcpUrl,
    credentials,
    filesDir: sampleDirectory(options.dataDir),
    overHttp: options.overHttp,
    tell: context.note,
  });
  context.note(`${requestsSent} requests sent. Reading them back from ${auditApiUrl}/api/v1/calls …`);
  const reader = createAuditLogReader({ apiUrl: auditApiUrl, token: credentials.auditToken });
  const calls = await reader.settledCalls(startedMs, requestsSent);
  context.print(`\n${tableText(outcomeTable(calls))}\n${tableText(peopleTable(calls))}`);
  return calls;
}

async function tellHistory(
  history: AddedHistory,
  apiUrl: string,
  token: string,
  { note, print }: CliContext
): Promise<void> {
  note('Waiting until the history is in the store …');
  const reader = createAuditLogReader({ apiUrl, token });
  const count = await reader.settledHistory(history, (so) => note(`  ${so} of ${history.requests} requests`));
  const late = count < history.requests ? ' The rest is on its way.' : '';
  print(
    `\nHistory: ${count} requests from ${history.fromDay} to ${history.toDay}.${late} They are made up and stamped, so they show up only when asked for:\n` +
      `  ${apiUrl}/api/v1/calls?demo=true&from=${history.fromDay}T00:00:00Z\n` +
      `  ${apiUrl}/api/v1/usage/summary?demo=true&from=${history.fromDay}T00:00:00Z\n`
  );
}

/** @throws GatelensError `internal`: the demo is also a test of the installation */
function complainOf(calls: readonly DemoCall[]): void {
  const missing = missingOutcomes(calls);
  if (missing.length === 0) return;
  throw new GatelensError(
    'internal',
    `The audit log has no call that ended as ${missing.join(', ')}, which the demo should have made. Look at the messages above.`
  );
}

function tableText({ head, rows }: TextTable): string {
  return textTable(head, rows);
}

function localUrlOf(url: string | undefined): string {
  if (url === undefined) throw new GatelensError('internal', 'The demo needs the gateway and the audit API.');
  const { hostname, port } = new URL(url);
  return localUrl({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
}
