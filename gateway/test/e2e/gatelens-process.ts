/**
 * Gatelens as people run it: `gatelens serve` in a process of its own, in a directory of its own, every port chosen by
 * the system. Keeps all that it says, can be killed and started again on the same data, and leaves nothing behind: no
 * process, no file.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../src/config/schema.ts';
import { descendantsOf, isAlive, killAll, type ProcessId } from './process-tree.ts';
import { until } from './until.ts';

const BIN = fileURLToPath(new URL('../../bin/gatelens.mjs', import.meta.url));
const START_TIMEOUT_MS = 100_000;

export interface Urls {
  readonly mcp: string;
  readonly auditApi: string;
  readonly metrics: string;
  readonly store: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CommandEnded {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface GatelensOptions {
  /** whole configuration but `listen` and `dataDir` */
  readonly config: Omit<ConfigInput, 'listen' | 'dataDir'>;
  /** besides PATH; nothing else of this process is handed on */
  readonly env?: Readonly<Record<string, string>>;
  /** puts another program in front, e.g. one that mounts something first; `exec` keeps the process id */
  readonly wrap?: (command: readonly string[], gatelens: GatelensProcess) => readonly string[];
}

interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export class GatelensProcess {
  readonly dir = mkdtempSync(join(tmpdir(), 'gatelens-e2e-'));
  readonly dataDir = join(this.dir, 'data');
  /** what it sees as the directory for temporary files */
  readonly tmpDir = join(this.dir, 'tmp');
  readonly #options: GatelensOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<Ended> | undefined;
  #lastEnd: Ended | undefined;
  #urls: Urls | undefined;
  /** everything it ever started, as far as it was seen */
  readonly #seen = new Map<number, ProcessId>();
  #stdout = '';
  #stderr = '';
  /** where the output of the last start begins */
  #startedAt = 0;

  constructor(options: GatelensOptions) {
    this.#options = options;
    mkdirSync(this.tmpDir);
    this.configure(options.config);
  }

  /** Writes the configuration for the next start. */
  configure(config: GatelensOptions['config']): void {
    const port = '127.0.0.1:0';
    const listen = { mcp: port, auditApi: port, metrics: port, store: port };
    // JSON is YAML, too
    writeFileSync(
      join(this.dir, 'gatelens.yaml'),
      JSON.stringify({ listen, dataDir: this.dataDir, ...config }, undefined, 2)
    );
  }

  /** Starts it, the first time or again, and waits until it listens. */
  async start(): Promise<this> {
    void this.spawn();
    const listening = await until(
      () => this.log('listening')[0] ?? (this.isRunning ? undefined : this.#lastEnd),
      () => `gatelens listens; it said:\n${this.stderr}`,
      START_TIMEOUT_MS
    );
    if (!('event' in listening)) throw new Error(`ended (${listening.code}) instead of listening:\n${this.stderr}`);
    this.#urls = listening as unknown as Urls;
    return this;
  }

  /** Starts it without waiting. @returns how it ends */
  spawn(): Promise<Ended> {
    if (this.#ended !== undefined) throw new Error('it runs already');
    this.#startedAt = this.#stderr.length;
    const command = [process.execPath, BIN, 'serve', '--config', join(this.dir, 'gatelens.yaml')];
    const [program = '', ...args] = this.#options.wrap?.(command, this) ?? command;
    const child = spawn(program, args, {
      cwd: this.dir,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#child = child;
    this.#ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.#child = undefined;
        this.#ended = undefined;
        this.#lastEnd = { code, signal };
        resolve(this.#lastEnd);
      });
    });
    return this.#ended;
  }

  /** Another command of the program, beside it, with the same configuration. */
  run(...args: readonly string[]): Promise<CommandEnded> {
    const command = [BIN, ...args, '--config', join(this.dir, 'gatelens.yaml')];
    const child = spawn(process.execPath, command, {
      cwd: this.dir,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
    });
  }

  get urls(): Urls {
    if (this.#urls === undefined) throw new Error('it was not started');
    return this.#urls;
  }

  mcp(server: string): URL {
    return new URL(`${this.urls.mcp}/mcp/${server}`);
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('it does not run');
    return pid;
  }

  get isRunning(): boolean {
    return this.#ended !== undefined;
  }

  /** process id of the store of the last start */
  get storePid(): number {
    return Number(this.log('store_ready').at(-1)?.pid);
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** of all starts */
  get stderr(): string {
    return this.#stderr;
  }

  /** Log lines of this event since the last start. */
  log(event: string): LogLine[] {
    return this.#stderr
      .slice(this.#startedAt)
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine)
      .filter((line) => line.event === event);
  }

  /** Sends a signal and waits for the end. What it had started is left to its own fate. */
  async kill(signal: NodeJS.Signals): Promise<Ended> {
    const ended = this.#ended;
    if (ended === undefined) throw new Error('it does not run');
    this.#noteDescendants();
    this.#child?.kill(signal);
    return ended;
  }

  /** What it started and what still runs. */
  survivors(): ProcessId[] {
    return [...this.#seen.values()].filter(isAlive);
  }

  /** Figures of `/metrics` without labels, by name. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${this.urls.metrics}/metrics`)).text();
    const figures = new Map<string, number>();
    for (const line of text.split('\n')) {
      const match = /^([a-z_]+)(?:\{[^}]*\})? (\S+)/.exec(line);
      if (match?.[1] !== undefined) figures.set(match[1], Number(match[2]));
    }
    return figures;
  }

  /** Waits until every call that was begun is recorded and everything on disk is in the store. */
  async settled(openCalls = 0, timeoutMs = 30_000): Promise<void> {
    let last = '';
    await until(
      async () => {
        const figures = await this.metrics();
        const count = (name: string): number => figures.get(`gatelens_${name}`) ?? Number.NaN;
        const [seen, recorded] = [count('records_seen_total'), count('records_recorded_total')];
        const gone = count('records_lost_total') + count('records_refused_total');
        const waiting = count('spool_size');
        last = `seen ${seen}, recorded ${recorded}, lost or refused ${gone}, waiting ${waiting} bytes`;
        return seen - recorded - gone === openCalls && waiting === 0;
      },
      () => `everything is recorded and shipped (${last})\n${this.stderr.slice(-2000)}`,
      timeoutMs
    );
  }

  /** Logins of the embedded store. */
  storePassword(user: string): string {
    const file = JSON.parse(readFileSync(join(this.dataDir, 'keys', 'store.json'), 'utf8')) as {
      passwords: Record<string, string>;
    };
    return file.passwords[user] ?? '';
  }

  /** A statement to the embedded store as its administrator. @returns the answer's bytes */
  async sql(statement: string): Promise<Buffer> {
    const answer = await fetch(this.urls.store, {
      method: 'POST',
      body: statement,
      headers: { 'X-ClickHouse-User': 'gatelens_admin', 'X-ClickHouse-Key': this.storePassword('gatelens_admin') },
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`${statement}: ${bytes.toString()}`);
    return bytes;
  }

  async rows<Row>(select: string): Promise<Row[]> {
    const lines = (await this.sql(`${select} FORMAT JSONEachRow`)).toString().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
  }

  /** Ends it, whatever state it is in, with all it started, and removes its directory. */
  async dispose(): Promise<void> {
    if (this.#ended !== undefined) {
      const ended = this.#ended;
      this.#noteDescendants();
      this.#child?.kill('SIGKILL');
      await ended;
    }
    killAll([...this.#seen.values()]);
    await until(() => this.survivors().length === 0, 'everything that was started has ended', 5000);
    rmSync(this.dir, { recursive: true, force: true });
  }

  #environment(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH ?? '', TMPDIR: this.tmpDir, HOME: this.dir, ...this.#options.env };
  }

  #noteDescendants(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    for (const one of descendantsOf(pid)) this.#seen.set(one.pid, one);
  }
}
