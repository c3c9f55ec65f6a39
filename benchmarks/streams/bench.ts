/**
 * What do streams cost that nobody reads, or reads slowly? Opens so many idle GET streams at the running program and tells
 * the resident memory of each; then has so many readers take 1 kB/s of answers that are pushed at them, and tells the
 * memory and how much was taken from the server behind; then lets them read on, and counts that no byte is missing.
 *
 *   npm run bench:streams [-- --streams 10000] [-- --readers 200] [-- --seconds 15] [-- --megabytes 5]
 */
import { execFileSync, fork } from 'node:child_process';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startGatelens, type RunningGatelens } from './gatelens.ts';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '10000' },
    readers: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '15' },
    megabytes: { type: 'string', default: '5' },
  },
});
const READ_BYTES = 1000;
const OPENED_AT_ONCE = 100;
/** files of the gateway besides streams: spool, store, listeners */
const OTHER_FILES = 200;
const MB = 1e6;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;

const limit = Number(execFileSync('sh', ['-c', 'ulimit -Hn']).toString());
// one connection to the client and one to the server behind
const most = Math.floor((limit - OTHER_FILES) / 2);
const streams = Math.min(Number(values.streams), most);
const readers = Number(values.readers);
const seconds = Number(values.seconds);
const answerBytes = Number(values.megabytes) * MB;

const upstream = fork(join(import.meta.dirname, 'upstream.ts'), [String(answerBytes)]);
const told = <T>(): Promise<T> => new Promise((resolve) => upstream.once('message', (answer) => resolve(answer as T)));
const { port } = await told<{ port: number }>();
const ofUpstream = (): Promise<{ taken: number; open: number }> => {
  upstream.send('figures');
  return told();
};

function open(gatelens: RunningGatelens, body?: string): Promise<{ req: ClientRequest; res: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const req = request(gatelens.mcp, {
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
      headers: { Accept: 'application/json, text/event-stream', 'Content-Type': 'application/json' },
    });
    req.on('error', reject);
    req.on('response', (res) => {
      res.on('error', () => undefined);
      resolve({ req, res });
    });
    req.end(body);
  });
}

async function until(condition: () => Promise<boolean>, what: string, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await pause(200);
  }
}

async function openMany<T>(count: number, one: () => Promise<T>): Promise<T[]> {
  const opened: T[] = [];
  while (opened.length < count) {
    const some = Math.min(OPENED_AT_ONCE, count - opened.length);
    opened.push(...(await Promise.all(Array.from({ length: some }, one))));
  }
  return opened;
}

async function recorded(gatelens: RunningGatelens): Promise<void> {
  await until(async () => {
    const figures = await gatelens.figures();
    return figures.get('gatelens_records_seen_total') === figures.get('gatelens_records_recorded_total');
  }, 'every record is on disk');
}

async function idleStreams(gatelens: RunningGatelens): Promise<void> {
  // code that is compiled and buffers that are made once are not what a stream costs
  for (const { req } of await openMany(200, () => open(gatelens))) req.destroy();
  await until(async () => (await ofUpstream()).open === 0, 'the first streams have ended');
  await recorded(gatelens);
  const before = gatelens.residentBytes();
  const startedAt = performance.now();
  const opened = await openMany(streams, () => open(gatelens));
  const openedMs = performance.now() - startedAt;
  await until(async () => (await ofUpstream()).open === streams, 'every stream has reached the server behind');
  await pause(3000);
  const after = gatelens.residentBytes();
  say(`idle GET streams         ${streams}${streams < Number(values.streams) ? ` (open files: ${limit})` : ''}`);
  say(`  opened                 ${Math.round((streams / openedMs) * 1000)} a second, each recorded`);
  say(`  memory before, with    ${mb(before)}, ${mb(after)}`);
  say(`  memory a stream        ${((after - before) / streams / 1000).toFixed(1)} kB`);
  for (const { req } of opened) req.destroy();
  await until(async () => (await ofUpstream()).open === 0, 'every stream has ended upstream');
  await recorded(gatelens);
  say(`  all ended and recorded, memory ${mb(gatelens.residentBytes())}`);
}

/** Takes so many bytes a second, until it may read on. @returns all that it read */
async function readSlowly(res: IncomingMessage, slow: AbortSignal): Promise<number> {
  let bytes = 0;
  for (;;) {
    const chunk = res.read(
      slow.aborted ? undefined : Math.min(READ_BYTES, res.readableLength || READ_BYTES)
    ) as Buffer | null;
    bytes += chunk?.length ?? 0;
    if (res.readableEnded || res.destroyed) return bytes;
    if (!slow.aborted) await pause(1000, undefined, { signal: slow }).catch(() => undefined);
    else if (chunk === null) {
      await new Promise<void>((resolve) => {
        for (const event of ['readable', 'end', 'close'] as const) res.once(event, () => resolve());
      });
      res.removeAllListeners('readable').removeAllListeners('end').removeAllListeners('close');
    }
  }
}

async function slowReaders(gatelens: RunningGatelens): Promise<void> {
  const before = gatelens.residentBytes();
  const takenBefore = (await ofUpstream()).taken;
  const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"push","arguments":{}}}';
  const opened = await openMany(readers, () => open(gatelens, call));
  const slow = new AbortController();
  const reading = opened.map(({ res }) => readSlowly(res, slow.signal));
  let highest = 0;
  for (let tick = 0; tick < seconds * 5; tick++) {
    await pause(200);
    highest = Math.max(highest, gatelens.residentBytes());
  }
  const taken = (await ofUpstream()).taken - takenBefore;
  say(
    `slow readers             ${readers}, ${READ_BYTES} bytes a second, ${mb(answerBytes)} pushed at each, ${seconds} s`
  );
  say(`  memory before, highest ${mb(before)}, ${mb(highest)}`);
  say(`  memory a reader        ${((highest - before) / readers / 1000).toFixed(0)} kB`);
  say(
    `  taken from the server  ${mb(taken)} of ${mb(answerBytes * readers)}, ${mb(taken / readers)} a reader, socket buffers included`
  );
  const startedAt = performance.now();
  slow.abort();
  const read = await Promise.all(reading);
  const whole = read.filter((bytes) => bytes >= answerBytes).length;
  say(
    `  then read on           ${whole} of ${readers} got all of it in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  );
  await recorded(gatelens);
  say(`  recorded, memory       ${mb(gatelens.residentBytes())}`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const gatelens = await startGatelens(`http://127.0.0.1:${port}/mcp`);
try {
  say(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}, open files ${limit}`);
  await idleStreams(gatelens);
  await slowReaders(gatelens);
} finally {
  await gatelens.stop();
  upstream.disconnect();
}
