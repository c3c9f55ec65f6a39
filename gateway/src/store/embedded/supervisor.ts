/**
 * Starts and keeps the store process: spawns it with enough libuv threads, waits until it is ready, starts it again with
 * back-off when it dies, kills it when it hangs, ends it on close. A crash or kill -9 of it loses nothing: the spool
 * delivers again. Serves the main program; talks to the process over IPC only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GatelensError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { makePrivateDirectory } from '../../private-directory.ts';
import { locateAddon } from './addon.ts';
import type { ChildMessage, StartMessage, StorePorts, StoreSecrets } from './child-messages.ts';
import { STORE_USERS, type StoreUser, permissionsOf } from './permissions.ts';
import { loadStoreKeys } from './store-keys.ts';

export interface EmbeddedStoreOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  /** 0 = any free port (default); kept over restarts */
  readonly ports?: Partial<StorePorts>;
  /** cap of the engine's memory; default 1 GiB */
  readonly memoryBytes?: number;
  /** how long a start may take; default 60 s */
  readonly startTimeoutMs?: number;
  /** how often it is asked whether it still answers; default 5 s */
  readonly heartbeatMs?: number;
}

export interface StoreCredentials {
  readonly username: StoreUser;
  readonly password: string;
}

export interface EmbeddedStore {
  readonly url: string;
  readonly credentials: Readonly<Record<StoreUser, StoreCredentials>>;
  /** where the shipper sends, in place of a collector */
  readonly otlp: {
    readonly metadata: { readonly url: string; readonly token: string };
    readonly payloads: { readonly url: string; readonly token: string };
  };
  /** engine version, e.g. `26.7.2.1` */
  readonly version: string;
  /** process id of the store process now; changes when it was started again */
  pid(): number | undefined;
  /** @param listener told of each unexpected end; the process is started again by itself */
  onExit(listener: (exit: StoreExit) => void): void;
  close(): Promise<void>;
}

export interface StoreExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const DEFAULT_MEMORY_BYTES = 1024 * 1024 * 1024;
const DEFAULT_START_TIMEOUT_MS = 60_000;
const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 10_000;
/** a process that ran so long starts the back-off anew */
const STABLE_AFTER_MS = 30_000;
/** the previous owner of the directory may still be on its way out */
const LOCK_PATIENCE_MS = 5_000;
const STOP_AFTER_MS = 8_000;
const DEFAULT_HEARTBEAT_MS = 5_000;
/**
 * Unanswered heartbeats after which it is killed. The engine's handler of a fatal signal waits for minutes, and all
 * queries with it. Counted, not timed: a machine that slept is no hang.
 */
const MAX_UNANSWERED = 6;
const CHILD_FILE = fileURLToPath(new URL('./child.ts', import.meta.url));

/** A thread for each query that may run, and some for the rest of the process. */
function threadPoolSize(): number {
  return STORE_USERS.reduce((sum, user) => sum + permissionsOf(user).concurrent, 0) + 6;
}

interface RunningChild {
  readonly process: ChildProcess;
  readonly ports: StorePorts;
  readonly version: string;
  readonly exited: Promise<StoreExit>;
}

/**
 * @throws GatelensError `engine_missing`, `data_dir_locked`, `data_dir_unusable`, `config_invalid` (port taken)
 */
export async function startEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  locateAddon();
  prepareDirectory(options.dataDir);
  const supervisor = new Supervisor(options, loadStoreKeys(options.dataDir));
  return supervisor.start();
}

function prepareDirectory(dataDir: string): void {
  try {
    makePrivateDirectory(dataDir);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new GatelensError(
      'data_dir_unusable',
      `${dataDir} cannot be used (${code}). Set dataDir to a directory you own.`,
      {
        cause,
      }
    );
  }
}

class Supervisor {
  readonly #options: EmbeddedStoreOptions;
  readonly #secrets: StoreSecrets;
  readonly #exitListeners: ((exit: StoreExit) => void)[] = [];
  #child: RunningChild | undefined;
  #closing = false;
  #wakeEarly: (() => void) | undefined;
  #watching: Promise<void> = Promise.resolve();

  constructor(options: EmbeddedStoreOptions, secrets: StoreSecrets) {
    this.#options = options;
    this.#secrets = secrets;
  }

  async start(): Promise<EmbeddedStore> {
    const wanted = this.#options.ports ?? {};
    const ports = { store: wanted.store ?? 0, metadata: wanted.metadata ?? 0, payloads: wanted.payloads ?? 0 };
    const first = await this.#spawnWithPatience(ports);
    this.#watching = this.#watch(first);
    const { passwords, metadataToken, payloadsToken } = this.#secrets;
    const local = (port: number): string => `http://127.0.0.1:${port}`;
    return {
      url: local(first.ports.store),
      credentials: Object.fromEntries(
        STORE_USERS.map((user) => [user, { username: user, password: passwords[user] }])
      ) as Record<StoreUser, StoreCredentials>,
      otlp: {
        metadata: { url: local(first.ports.metadata), token: metadataToken },
        payloads: { url: local(first.ports.payloads), token: payloadsToken },
      },
      version: first.version,
      pid: () => this.#child?.process.pid,
      onExit: (listener) => void this.#exitListeners.push(listener),
      close: () => this.#close(),
    };
  }

  async #spawnWithPatience(ports: StorePorts): Promise<RunningChild> {
    const until = Date.now() + LOCK_PATIENCE_MS;
    for (;;) {
      try {
        return await this.#spawn(ports);
      } catch (cause) {
        const locked = cause instanceof GatelensError && cause.code === 'data_dir_locked';
        if (!locked || Date.now() > until || this.#closing) throw cause;
        await this.#pause(500);
      }
    }
  }

  async #spawn(ports: StorePorts): Promise<RunningChild> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD_FILE], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...minimalEnvironment(), UV_THREADPOOL_SIZE: String(threadPoolSize()) },
    });
    const exited = new Promise<StoreExit>((settle) => {
      child.once('exit', (code, signal) => settle({ code, signal }));
      child.once('error', () => settle({ code: null, signal: null }));
    });
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'log') this.#options.logger[message.level](message.event, message.fields);
    });
    const { secrets, dataDir, memoryBytes } = {
      secrets: this.#secrets,
      dataDir: this.#options.dataDir,
      memoryBytes: this.#options.memoryBytes ?? DEFAULT_MEMORY_BYTES,
    };
    const start: StartMessage = { type: 'start', dataDir, memoryBytes, ports, secrets };
    child.send(start, () => undefined);
    const ready = await readiness(child, exited, dataDir, this.#options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS);
    // from here on it could show data: nobody reads it
    child.stderr?.removeAllListeners('data').resume();
    this.#child = { process: child, ports: ready.ports, version: ready.version, exited };
    this.#killIfHung(child, exited);
    this.#options.logger.info('store_ready', { pid: child.pid ?? 0, port: ready.ports.store, version: ready.version });
    return this.#child;
  }

  #killIfHung(child: ChildProcess, exited: Promise<unknown>): void {
    let unanswered = 0;
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'pong') unanswered = 0;
    });
    const timer = setInterval(() => {
      if (unanswered === MAX_UNANSWERED) {
        this.#options.logger.error('store_hung', { pid: child.pid ?? 0 });
        child.kill('SIGKILL');
      } else if (child.connected) child.send({ type: 'ping' }, () => undefined);
      unanswered += 1;
    }, this.#options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS);
    timer.unref();
    void exited.then(() => clearInterval(timer));
  }

  async #watch(first: RunningChild): Promise<void> {
    let child = first;
    let backoffMs = FIRST_BACKOFF_MS;
    for (;;) {
      const startedAt = Date.now();
      const exit = await child.exited;
      if (this.#closing) return;
      this.#child = undefined;
      this.#options.logger.error('store_exited', { code: exit.code ?? -1, signal: exit.signal ?? 'none' });
      for (const listener of this.#exitListeners) listener(exit);
      if (Date.now() - startedAt > STABLE_AFTER_MS) backoffMs = FIRST_BACKOFF_MS;
      for (;;) {
        await this.#pause(backoffMs);
        if (this.#isClosing()) return;
        backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
        try {
          child = await this.#spawn(first.ports);
          if (this.#isClosing()) {
            await stopChild(child);
            return;
          }
          break;
        } catch (cause) {
          const code = cause instanceof GatelensError ? cause.code : 'internal';
          this.#options.logger.error('store_restart_failed', { code, retryInMs: backoffMs });
        }
      }
    }
  }

  /** a call, so that the compiler does not take the answer before an await for the answer after it */
  #isClosing(): boolean {
    return this.#closing;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeEarly = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #close(): Promise<void> {
    this.#closing = true;
    this.#wakeEarly?.();
    if (this.#child !== undefined) await stopChild(this.#child);
    this.#child = undefined;
    await this.#watching;
  }
}

async function stopChild(child: RunningChild): Promise<void> {
  child.process.send({ type: 'stop' }, () => undefined);
  const timer = setTimeout(() => child.process.kill('SIGKILL'), STOP_AFTER_MS);
  await child.exited;
  clearTimeout(timer);
}

/** The store needs no secret of the gateway's environment. */
function minimalEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', TZ: 'UTC', LANG: 'C.UTF-8' };
}

async function readiness(
  child: ChildProcess,
  exited: Promise<StoreExit>,
  dataDir: string,
  timeoutMs: number
): Promise<Extract<ChildMessage, { type: 'ready' }>> {
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4000);
  });
  const told = new Promise<ChildMessage>((settle) => {
    child.on('message', (message: ChildMessage) => {
      if (message.type !== 'log') settle(message);
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((settle) => {
    timer = setTimeout(settle, timeoutMs, 'late');
  });
  const outcome = await Promise.race([told, exited, late]);
  clearTimeout(timer);
  if (outcome !== 'late' && 'type' in outcome && outcome.type === 'ready') return outcome;
  child.kill('SIGKILL');
  await exited;
  if (complaints.includes('Cannot lock file')) {
    throw new GatelensError(
      'data_dir_locked',
      `Another process uses the embedded store in ${dataDir}. Stop it, or give this one a dataDir of its own.`
    );
  }
  if (outcome === 'late') {
    throw new GatelensError('store_unavailable', `The embedded store was not ready within ${timeoutMs} ms.`);
  }
  if ('type' in outcome && outcome.type === 'failed') throw new GatelensError(outcome.code, outcome.message);
  throw new GatelensError('data_dir_unusable', `The embedded store ended while starting in ${dataDir}.`);
}
