/**
 * One MCP server as a child process: starts it in a process group of its own, frames its stdout, writes its stdin, sees
 * it end, and ends it (stdin closed, then SIGTERM, then SIGKILL to the whole group, so that what `npx` or a shell started
 * ends too). Does not restart anything and knows no JSON-RPC. What the child prints on stderr may be payload: it is
 * counted and thrown away, unless the operator asks to see it on the gateway's own stderr.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { GatelensError } from '../../errors.ts';
import { LineFramer, toLine } from '../scan/stdio-framing.ts';

export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** the whole environment of the child; see stdio-environment.ts */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface ChildOptions {
  readonly maxLineBytes: number;
  /** how long the child may take to exit after its stdin was closed, before SIGTERM */
  readonly stdinGraceMs: number;
  /** how long after SIGTERM, before SIGKILL */
  readonly termGraceMs: number;
  /** `inherit` shows the child's stderr on the gateway's: for debugging, since it may show payload */
  readonly stderr: 'discard' | 'inherit';
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** why it could not be started or had to be ended; the message names no argument and no value */
  readonly error?: GatelensError;
  /** `ENOENT`, `EACCES` …, when the operating system refused to start it */
  readonly startError?: string;
}

export interface ChildListener {
  /** one line of stdout, without its newline */
  onLine(line: Buffer): void;
  /** once, after the last line */
  onExit(exit: ChildExit): void;
}

/** How long stdout may stay open after the process ended: a grandchild can hold the pipe. */
const DRAIN_MS = 500;
const GROUP_POLL_MS = 20;
const KILL_WAIT_MS = 500;

export class StdioChild {
  readonly pid: number | undefined;
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #stdin: Writable | null;
  readonly #stdout: Readable | null;
  readonly #framer: LineFramer;
  readonly #listener: ChildListener;
  readonly #options: ChildOptions;
  #resolveExited: (exit: ChildExit) => void = () => undefined;
  #processEnded = false;
  #finished = false;
  #stopping: Promise<ChildExit> | undefined;
  #failure: GatelensError | undefined;
  #stderrBytes = 0;

  constructor(command: ChildCommand, options: ChildOptions, listener: ChildListener) {
    this.#options = options;
    this.#listener = listener;
    this.#framer = new LineFramer({ maxLineBytes: options.maxLineBytes });
    this.exited = new Promise((resolve) => (this.#resolveExited = resolve));
    const child = startProcess(command, options);
    this.#process = child;
    this.pid = child.pid;
    this.#stdin = child.stdin;
    this.#stdout = child.stdout;
    this.#watch();
  }

  get stderrBytes(): number {
    return this.#stderrBytes;
  }

  /** Bytes written and not yet taken by the child. */
  get backlogBytes(): number {
    return this.#stdin?.writableLength ?? 0;
  }

  get running(): boolean {
    return this.pid !== undefined && !this.#processEnded && this.#stopping === undefined;
  }

  /** Writes one JSON text as a line. @returns false when the child can take nothing any more */
  send(json: Uint8Array): boolean {
    // Not started: `onExit` is about to say so.
    if (this.pid === undefined && !this.#finished) return true;
    if (!this.running || this.#stdin?.writable !== true) return false;
    this.#stdin.write(toLine(json));
    return true;
  }

  /** Stops reading what the child says, until `resume`; its pipe then fills and it has to wait. */
  pause(): void {
    this.#stdout?.pause();
  }

  resume(): void {
    this.#stdout?.resume();
  }

  /** Ends the process group. Resolves when it is gone; safe to call often. */
  stop(): Promise<ChildExit> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Last resort when the gateway itself is about to exit: no waiting. */
  killNow(): void {
    this.#signalGroup('SIGKILL');
  }

  #watch(): void {
    const child = this.#process;
    child.once('error', (error: NodeJS.ErrnoException) => {
      // Also emitted when a signal could not be sent; then the process is there and ends by itself.
      if (child.pid === undefined) this.#finish({ code: null, signal: null, startError: error.code ?? 'unknown' });
    });
    child.once('exit', (code, signal) => {
      this.#processEnded = true;
      this.#signalGroup('SIGTERM');
      // What is left in the pipe is little, and the last answer may be in it.
      this.resume();
      const drained = setTimeout(() => this.#stdout?.destroy(), DRAIN_MS);
      child.once('close', () => {
        clearTimeout(drained);
        this.#finish({ code, signal });
      });
    });
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderrBytes += chunk.length));
    child.stderr?.on('error', () => undefined);
    // EPIPE: the child closed its stdin or is about to exit. A server that cannot hear is of no use.
    this.#stdin?.on('error', () => void this.stop());
    this.#stdout?.on('error', () => void this.stop());
    this.#stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#stdout?.once('end', () => {
      this.#framer.end((line) => this.#listener.onLine(line));
      void this.stop();
    });
  }

  #read(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      this.#framer.push(chunk, (line) => this.#listener.onLine(line));
    } catch (error) {
      this.#failure =
        error instanceof GatelensError
          ? error
          : new GatelensError('internal', 'A message of the MCP server could not be handled.', { cause: error });
      void this.stop();
    }
  }

  #finish(exit: ChildExit): void {
    if (this.#finished) return;
    this.#finished = true;
    const whole = this.#failure === undefined ? exit : { ...exit, error: this.#failure };
    this.#listener.onExit(whole);
    this.#resolveExited(whole);
  }

  async #stop(): Promise<ChildExit> {
    if (this.pid === undefined) return this.exited;
    this.resume();
    this.#stdin?.end();
    await within(this.exited, this.#options.stdinGraceMs);
    if (this.#groupAlive()) {
      this.#signalGroup('SIGTERM');
      if (!(await this.#groupGone(this.#options.termGraceMs))) {
        this.#signalGroup('SIGKILL');
        await this.#groupGone(KILL_WAIT_MS);
      }
    }
    return this.exited;
  }

  async #groupGone(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs;
    while (this.#groupAlive()) {
      if (performance.now() >= until) return false;
      await new Promise((resolve) => setTimeout(resolve, GROUP_POLL_MS));
    }
    return true;
  }

  #groupAlive(): boolean {
    return this.#signalGroup(0);
  }

  /** @returns false when nobody is left to receive it */
  #signalGroup(signal: NodeJS.Signals | 0): boolean {
    if (this.pid === undefined) return false;
    try {
      if (process.platform === 'win32') return !this.#processEnded && this.#process.kill(signal);
      return process.kill(-this.pid, signal);
    } catch {
      return false;
    }
  }
}

function startProcess(command: ChildCommand, options: ChildOptions): ChildProcess {
  return spawn(command.command, [...command.args], {
    env: { ...command.env },
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    stdio: ['pipe', 'pipe', options.stderr === 'inherit' ? 'inherit' : 'pipe'],
    // A process group of its own: signals reach what the child started, and Ctrl-C in a terminal does not reach it
    // before the gateway has ended the sessions in order.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
}

async function within(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
