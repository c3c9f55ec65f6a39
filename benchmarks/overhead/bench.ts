/**
 * What does recording cost? Direct, a bare node:http proxy, the product's relay without recording, and with recording
 * `async` and `before-reply`, in one run, the order turned round each round. CPU time a call of the process in the middle is the
 * criterion; throughput and latency are told, too. Prints a table, keeps every round as NDJSON.
 *
 *   npm run bench:overhead [-- --quick] [-- --rounds 5] [-- --seconds 3] [-- --upstream-ms 20]
 */
import { fork, type ChildProcess } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CpuAnswer, Profile, Question } from './child.ts';
import { runLoad, type LoadResult } from './load.ts';
import { stagesOf } from './stages.ts';

const here = import.meta.dirname;
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    // how long the upstream takes to answer
    'upstream-ms': { type: 'string', default: '0' },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const seconds = Number(values.seconds ?? (values.quick ? 1 : 2));
const CONNECTIONS = values.quick ? [16] : [1, 16, 64];
const SIZES = values.quick ? [2048] : [64, 2048, 102_400];
const TARGETS = ['direct', 'bare proxy', 'relay', 'recording async', 'recording before-reply'] as const;
type Target = (typeof TARGETS)[number];

class Child {
  readonly #process: ChildProcess;
  readonly #answers: ((answer: unknown) => void)[] = [];
  port = 0;

  constructor(file: string, args: readonly string[] = [], execArgv: readonly string[] = []) {
    this.#process = fork(join(here, file), args, {
      execArgv: [...execArgv],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process.on('message', (message) => this.#answers.shift()?.(message));
    this.#process.on('exit', (code) => {
      if (code !== 0) throw new Error(`${file} ended with ${String(code)}`);
    });
  }

  async start(): Promise<this> {
    const { port } = await this.#next<{ port: number }>();
    this.port = port;
    return this;
  }

  ask<T>(question: Question): Promise<T> {
    this.#process.send(question);
    return this.#next<T>();
  }

  #next<T>(): Promise<T> {
    return new Promise((resolve) => this.#answers.push(resolve as (answer: unknown) => void));
  }
}

interface Cell extends LoadResult {
  readonly target: Target;
  readonly connections: number;
  readonly bytes: number;
  readonly round: number;
  /** of the process in the middle; of the upstream when there is none */
  readonly cpuUsPerCall: number;
  readonly rssMb: number;
}

/** As gateway/bin/gatelens.mjs is started. */
const GATEWAY_FLAGS = ['--min-semi-space-size=32'];

const upstream = await new Child('upstream.ts', [values['upstream-ms']]).start();
const sink = await new Child('sink.ts').start();
const upstreamUrl = `http://127.0.0.1:${upstream.port}/mcp`;
const sinkUrl = `http://127.0.0.1:${sink.port}`;
const gateway = (mode: string) => new Child('gateway.ts', [mode, upstreamUrl, sinkUrl], GATEWAY_FLAGS).start();
const middle = new Map<Target, Child>([
  ['bare proxy', await new Child('bare-proxy.ts', [upstreamUrl]).start()],
  ['relay', await gateway('relay')],
  ['recording async', await gateway('async')],
  ['recording before-reply', await gateway('before-reply')],
]);

function urlOf(target: Target): URL {
  const child = middle.get(target);
  if (child === undefined) return new URL(upstreamUrl);
  return new URL(`http://127.0.0.1:${child.port}/mcp${target === 'bare proxy' ? '' : '/bench'}`);
}

const results = join(here, 'results');
mkdirSync(results, { recursive: true });
const file = join(results, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.ndjson`);
const machine = {
  cpu: cpus()[0]?.model ?? '',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
};
appendFileSync(file, `${JSON.stringify({ machine, rounds, seconds, upstreamMs: Number(values['upstream-ms']) })}\n`);

// Every process is warm before anything counts, or the first in line pays for the compiler.
for (const target of TARGETS)
  await runLoad({ url: urlOf(target), connections: 16, bytes: 2048, seconds: values.quick ? 1 : 3 });

const cells: Cell[] = [];
for (let round = 1; round <= rounds; round += 1) {
  const order = round % 2 === 1 ? TARGETS : [...TARGETS].reverse();
  for (const bytes of SIZES) {
    for (const connections of CONNECTIONS) {
      for (const target of order) {
        const measured = middle.get(target) ?? upstream;
        const url = urlOf(target);
        await runLoad({ url, connections, bytes, seconds: 0.3 });
        const before = await measured.ask<CpuAnswer>('cpu');
        const load = await runLoad({ url, connections, bytes, seconds });
        const after = await measured.ask<CpuAnswer>('cpu');
        const cell: Cell = {
          target,
          connections,
          bytes,
          round,
          ...load,
          cpuUsPerCall: (after.cpuUs - before.cpuUs) / load.calls,
          rssMb: after.rssBytes / 2 ** 20,
        };
        cells.push(cell);
        appendFileSync(file, `${JSON.stringify(cell)}\n`);
      }
      process.stderr.write(`round ${round}/${rounds}  ${bytes} B  ${connections} connections\n`);
    }
  }
}

const stages = await profileStages();
for (const child of [...middle.values(), upstream, sink]) await child.ask('stop');

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const lines = [
  `Machine: ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}. ${rounds} rounds of ${seconds} s; medians.`,
  '',
  '| size | conn. | target | CPU µs/call | ratio to relay | calls/s | p50 ms | p99 ms | RSS MB |',
  '|---|---|---|---|---|---|---|---|---|',
];
for (const bytes of SIZES) {
  for (const connections of CONNECTIONS) {
    const of = (target: Target, value: (cell: Cell) => number): number =>
      median(
        cells
          .filter((cell) => cell.target === target && cell.bytes === bytes && cell.connections === connections)
          .map(value)
      );
    const relayUs = of('relay', (cell) => cell.cpuUsPerCall);
    for (const target of TARGETS) {
      const us = of(target, (cell) => cell.cpuUsPerCall);
      lines.push(
        `| ${bytes} B | ${connections} | ${target}${target === 'direct' ? ' (CPU of the upstream)' : ''} | ${us.toFixed(0)} | ${target === 'direct' ? '–' : (us / relayUs).toFixed(2)} | ${of(target, (cell) => cell.calls / cell.seconds).toFixed(0)} | ${of(target, (cell) => cell.p50Ms).toFixed(2)} | ${of(target, (cell) => cell.p99Ms).toFixed(2)} | ${of(target, (cell) => cell.rssMb).toFixed(0)} |`
      );
    }
  }
}
lines.push(
  '',
  'Stages of `recording before-reply`, 2048 B, 16 connections (self time by CPU profile, which itself slows the process):',
  '',
  '| stage | µs/call |',
  '|---|---|',
  ...stages
);
process.stdout.write(`${lines.join('\n')}\n`);

async function profileStages(): Promise<string[]> {
  const child = middle.get('recording before-reply');
  if (child === undefined) return [];
  await child.ask('profile-start');
  const load = await runLoad({
    url: urlOf('recording before-reply'),
    connections: 16,
    bytes: 2048,
    seconds: values.quick ? 2 : 4,
  });
  const profile = await child.ask<Profile>('profile-stop');
  appendFileSync(file, `${JSON.stringify({ stages: stagesOf(profile), calls: load.calls })}\n`);
  return stagesOf(profile).map(({ stage, us }) => `| ${stage} | ${(us / load.calls).toFixed(1)} |`);
}
