/**
 * The real collector with the real configuration, as a process of its own: own ports, own queues on disk. Can be killed
 * and started again on the same queues. Settings that a test must shorten are laid over the file, and named there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { until } from '../e2e/until.ts';
import { COLLECTOR, COLLECTOR_CONFIG } from './collector-binary.ts';

const TOKENS = { metadata: 'token-of-metadata', payloads: 'token-of-payloads', mirror: 'token-of-the-mirror' };

export interface CollectorOptions {
  /** queues on disk are kept here */
  readonly directory: string;
  readonly storeUrl: string;
  readonly passwords: { readonly metadata: string; readonly payloads: string };
  /** where the mirror goes; default nowhere that answers */
  readonly mirrorUrl?: string;
  /** how often it reports on itself; default 1 s */
  readonly reportEveryMs?: number;
  /** `exporters::clickhouse/metadata::timeout: 1s`, over the file */
  readonly overlay?: readonly string[];
}

type Signal = keyof typeof TOKENS;
type Ports = Readonly<Record<Signal | 'health' | 'metrics' | 'own', number>>;

export class CollectorProcess {
  readonly #options: CollectorOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  ports: Ports | undefined;
  #output = '';

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Starts it, the first time or again on the same ports and queues, and waits until it takes requests. */
  async start(): Promise<this> {
    const ports = (this.ports ??= await freePorts());
    const { storeUrl, passwords, directory, mirrorUrl, overlay = [], reportEveryMs = 1000 } = this.#options;
    const yaml = [
      `receivers::otlp/metadata::protocols::http::endpoint: 127.0.0.1:${ports.metadata}`,
      `receivers::otlp/payloads::protocols::http::endpoint: 127.0.0.1:${ports.payloads}`,
      `receivers::otlp/mirror::protocols::http::endpoint: 127.0.0.1:${ports.mirror}`,
      ...overlay,
    ];
    const child = spawn(
      COLLECTOR,
      ['--config', COLLECTOR_CONFIG, ...yaml.flatMap((one) => ['--config', `yaml:${one}`])],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          GATELENS_OTLP_METADATA_TOKEN: TOKENS.metadata,
          GATELENS_OTLP_PAYLOADS_TOKEN: TOKENS.payloads,
          GATELENS_OTLP_MIRROR_TOKEN: TOKENS.mirror,
          CLICKHOUSE_ENDPOINT: storeUrl,
          CLICKHOUSE_INGEST_PASSWORD: passwords.metadata,
          CLICKHOUSE_PAYLOAD_INGEST_PASSWORD: passwords.payloads,
          OTELCOL_STORAGE: join(directory, 'queues'),
          OTELCOL_HEALTH_ENDPOINT: `127.0.0.1:${ports.health}`,
          OTELCOL_METRICS_PORT: String(ports.metrics),
          OTELCOL_OWN_PORT: String(ports.own),
          OTELCOL_REPORT_EVERY_MS: String(reportEveryMs),
          MIRROR_ENDPOINT: mirrorUrl ?? 'http://127.0.0.1:9',
        },
      }
    );
    this.#child = child;
    this.#ended = new Promise((done) => child.once('close', () => done()));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`the collector ended:\n${this.#output}`);
        return (await fetch(`http://127.0.0.1:${ports.health}/`).catch(() => undefined))?.ok === true;
      },
      () => `the collector is ready; it said:\n${this.#output.slice(-3000)}`,
      30_000
    );
    return this;
  }

  /** Base address and token, as the gateway's `otlp` wants them. */
  target(signal: Signal): { readonly url: string; readonly token: string } {
    if (this.ports === undefined) throw new Error('it was not started');
    return { url: `http://127.0.0.1:${this.ports[signal]}`, token: TOKENS[signal] };
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('it does not run');
    return pid;
  }

  /** all that it said */
  get output(): string {
    return this.#output;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
    this.#child = undefined;
  }
}

async function freePorts(): Promise<Ports> {
  const names = ['metadata', 'payloads', 'mirror', 'health', 'metrics', 'own'] as const;
  const servers = names.map(() => createServer());
  // all open at once, so that none is given twice
  await Promise.all(servers.map((one) => new Promise<void>((done) => one.listen(0, '127.0.0.1', done))));
  const ports = servers.map((one) => (one.address() as AddressInfo).port);
  await Promise.all(servers.map((one) => new Promise((done) => one.close(done))));
  return Object.fromEntries(names.map((name, at) => [name, ports[at] ?? 0])) as Ports;
}
