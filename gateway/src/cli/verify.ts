/**
 * `gatelens verify`: is the audit log what was recorded? Names each missing, changed, re-ordered or forked record and each
 * checkpoint that does not hold. Reads only; works beside a running Gatelens, on a stopped one, and on a server.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { GatelensConfig } from '../config.ts';
import { parseDuration } from '../config.ts';
import { GatelensError } from '../errors.ts';
import { createLogger } from '../logger.ts';
import { findConfig, withConfigOptions, type ConfigOptions } from './common-options.ts';
import { CommandFailed, UsageError, type CliContext } from './context.ts';
import { noteVerified } from '../verify/last-verified.ts';
import { verdict, verificationJson, verificationText } from './verify-report.ts';

interface VerifyOptions extends ConfigOptions {
  readonly publicKey: readonly string[];
  readonly settle?: string;
  readonly json?: boolean;
}

/** Behind a collector, records may arrive late and out of order. */
const SERVER_SETTLE_MS = 10 * 60_000;
const PROGRESS_EVERY_MS = 5000;
const COMPONENTS = ['gateway', 'audit-api'] as const;

export function verifyCommand(context: CliContext): Command {
  return withConfigOptions(new Command('verify'))
    .description('recompute every record and name each that is missing, changed or out of place')
    .addOption(
      new Option(
        '--public-key <file>',
        'Ed25519 key of a gateway, PEM or JWK; repeatable; in place of keys of the data directory'
      )
        .argParser((file: string, files: readonly string[]) => [...files, file])
        .default([], 'the key of the data directory')
    )
    .addOption(
      new Option(
        '--settle <duration>',
        'records younger than this may still be on their way; default: 0s, with store.url 10m'
      )
    )
    .option('--json', 'the whole result as JSON on stdout')
    .addHelpText(
      'after',
      `
Exit code 0: everything is as it was recorded. 1: it is not; the findings are listed.

Examples:
  $ gatelens verify
  $ gatelens verify --config gatelens.yaml --json > verified.json
  $ gatelens keyring signing-key > gateway-1.pem     on each gateway, then anywhere:
  $ gatelens verify --public-key gateway-1.pem --public-key gateway-2.pem`
    )
    .action((options: VerifyOptions) => verify(options, context));
}

async function verify(options: VerifyOptions, context: CliContext): Promise<void> {
  const { config } = findConfig(options, context, false).loaded;
  const settleMs = settleOf(options, config);
  const [{ reachStore }, { verifyChains }, { readDeliveredLink }] = await Promise.all([
    import('./reach-store.ts'),
    import('../verify/verify-chains.ts'),
    import('../spool/delivered-link.ts'),
  ]);
  const publicKeys = await publicKeysOf(options, config, context);
  // before the store is asked: what it has taken by now, it must have
  const delivered = await Promise.all(
    COMPONENTS.map((component) => readDeliveredLink(join(config.dataDir, 'spool', component)))
  );
  const store = await reachStore(config, createLogger(context.log, context.now));
  try {
    context.note(`Verifying ${store.about}.`);
    const startedAt = context.now();
    let saidAtMs = startedAt.getTime();
    const result = await verifyChains({
      store: store.reader,
      publicKeys,
      retentionMs: config.retention,
      nowMs: startedAt.getTime(),
      settleMs,
      delivered: delivered.filter((link) => link !== undefined),
      onProgress: ({ step, chainId = '', checked }) => {
        const nowMs = context.now().getTime();
        if (nowMs - saidAtMs < PROGRESS_EVERY_MS) return;
        saidAtMs = nowMs;
        context.note(step === 'chain' ? `Chain ${chainId}: ${checked} positions …` : `${checked} records recomputed …`);
      },
    });
    context.print(options.json === true ? verificationJson(result, startedAt) : verificationText(result));
    context.note(verdict(result));
    if (!result.ok) throw new CommandFailed();
    noteVerified(config.dataDir, startedAt);
  } finally {
    await store.close();
  }
}

function settleOf({ settle }: VerifyOptions, config: GatelensConfig): number {
  if (settle === undefined) return config.store === undefined ? 0 : SERVER_SETTLE_MS;
  const settleMs = parseDuration(settle);
  if (settleMs === undefined) throw new UsageError('--settle takes a number and a unit, e.g. 0s, 30s, 10m.');
  return settleMs;
}

async function publicKeysOf(options: VerifyOptions, config: GatelensConfig, context: CliContext) {
  const { decodeSigningPublicKey, signingPublicKey } = await import('../protection/signing-keys.ts');
  const keys = options.publicKey.map((file) => decodeSigningPublicKey(textOf(resolve(context.cwd, file)), file));
  if (keys.length === 0) {
    const own = signingPublicKey(config.dataDir);
    if (own === undefined) {
      throw new GatelensError(
        'key_unknown',
        `There is no signing key in ${config.dataDir}. Give the public keys of the gateways with --public-key; "gatelens keyring signing-key" prints them.`
      );
    }
    keys.push(own);
  }
  return new Map(keys.map(({ id, publicKey }) => [id, publicKey]));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new UsageError(`${file} cannot be read (${code}). Give the file of a public key with --public-key.`);
  }
}
