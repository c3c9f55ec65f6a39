/**
 * Runs one suite of the official conformance program against a URL and reads what it saved: every check of every
 * scenario. Its exit code and its summary are not used, since a scenario without a single check counts as passed there.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Suite } from './suites.ts';

/** `INFO` is no verdict: the suite notes with it what it sent and what came back. */
export const VERDICTS = ['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Check {
  readonly id: string;
  readonly verdict: Verdict;
  /** why, when it is no success */
  readonly message: string;
}

/** Checks by scenario, in the order in which the suite ran them. */
export type SuiteResult = ReadonlyMap<string, readonly Check[]>;

const TIMEOUT_MS = 180_000;

/** @throws when the suite did not run to its end, or saved nothing */
export async function runSuite(suite: Suite, url: string): Promise<SuiteResult> {
  const directory = await mkdtemp(join(tmpdir(), 'gatelens-conformance-'));
  try {
    const output = await run([programOf(suite), 'server', '--url', url, ...suite.args, '-o', directory]);
    const result = await readResults(directory);
    const announced = [...output.matchAll(/=== Running scenario: (\S+) ===/g)].map((match) => match[1] ?? '');
    if (announced.length === 0)
      throw new Error(`${suite.name} ran no scenario.
${output.slice(-2000)}`);
    return new Map(announced.map((scenario) => [scenario, result.get(scenario) ?? []]));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function programOf(suite: Suite): string {
  const manifest = createRequire(import.meta.url).resolve(`${suite.release}/package.json`);
  return join(dirname(manifest), 'dist', 'index.js');
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === null) resolve(output);
      else reject(new Error(`The suite was ended by ${signal}, exit code ${String(code)}.\n${output.slice(-2000)}`));
    });
  });
}

async function readResults(directory: string): Promise<Map<string, Check[]>> {
  const results = new Map<string, Check[]>();
  for (const name of await readdir(directory)) {
    const scenario = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/.exec(name)?.[1];
    if (scenario === undefined) continue;
    // a scenario that broke off has no file
    const saved = await readFile(join(directory, name, 'checks.json'), 'utf8').catch(() => '[]');
    results.set(scenario, checksOf(JSON.parse(saved)));
  }
  return results;
}

function checksOf(saved: unknown): Check[] {
  if (!Array.isArray(saved)) return [];
  return saved.flatMap((one: { id?: unknown; status?: unknown; errorMessage?: unknown }) => {
    const verdict = VERDICTS.find((known) => known === one.status);
    if (verdict === undefined) return [];
    const message = typeof one.errorMessage === 'string' ? one.errorMessage : '';
    return [{ id: String(one.id), verdict, message }];
  });
}
