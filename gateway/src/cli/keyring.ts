/**
 * `gatelens keyring`: the key pairs that payloads are sealed with. Lists them without private halves, takes in a public
 * key whose private half is kept elsewhere, makes a new pair, prints what verifies checkpoints. Removes none: what a key
 * sealed needs it for ever.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { addPublicKey, listKeys, rotateKeys } from '../protection/keyring.ts';
import { signingPublicKey } from '../protection/signing-keys.ts';
import { dataDirOf, findConfig, withConfigOptions, withDataDirOptions, type ConfigOptions } from './common-options.ts';
import { UsageError, type CliContext } from './context.ts';
import { textTable } from './text-table.ts';

interface AddOptions extends ConfigOptions {
  readonly id: string;
  readonly keyFile: string;
  readonly activate?: boolean;
}

const EFFECT =
  'It counts from the next start on. Where `encryption` is in the configuration, `encryption.active` there decides.';

export function keyringCommand(context: CliContext): Command {
  const list = withConfigOptions(new Command('list'))
    .description('the pairs there are, and which one seals')
    .action((options: ConfigOptions) => listAll(options, context));
  const add = withDataDirOptions(new Command('add'))
    .description('take in a public key whose private half is kept elsewhere')
    .requiredOption('--id <id>', 'id of the key, e.g. 2026-11')
    .requiredOption('--key-file <file>', 'X25519 public key: PEM, JWK, base64 or hex')
    .option('--activate', 'seal with it from the next start on')
    .addHelpText(
      'after',
      `
Example: a pair whose private half never touches the gateway
  $ openssl genpkey -algorithm x25519 -out private.pem
  $ openssl pkey -in private.pem -pubout -out public.pem
  $ gatelens keyring add --id 2026-11 --key-file public.pem --activate`
    )
    .action((options: AddOptions) => {
      addPublicKey({
        dataDir: dataDirOf(options, context),
        id: options.id,
        key: keyIn(resolve(context.cwd, options.keyFile)),
        activate: options.activate ?? false,
      });
      context.note(`Added ${options.id}. ${EFFECT}`);
    });
  const rotate = withDataDirOptions(new Command('rotate'))
    .description('make a new pair and seal with it from the next start on')
    .action((options: ConfigOptions) => {
      const { id, publicKey } = rotateKeys({ dataDir: dataDirOf(options, context), now: context.now });
      context.print(`${id} ${publicKey}\n`);
      context.note(`Made ${id}; older private halves stay, so that what they sealed can be read. ${EFFECT}`);
    });
  const signingKey = withDataDirOptions(new Command('signing-key'))
    .description('print the public key (PEM) that verifies the checkpoints of this gateway')
    .action((options: ConfigOptions) => printSigningKey(dataDirOf(options, context), context));
  return new Command('keyring')
    .description('key pairs that payloads are sealed with: list, add, rotate; the key that signs checkpoints')
    .addCommand(list)
    .addCommand(add)
    .addCommand(rotate)
    .addCommand(signingKey);
}

function listAll(options: ConfigOptions, context: CliContext): void {
  const { config } = findConfig(options, context, false).loaded;
  const keys = listKeys({
    dataDir: config.dataDir,
    ...(config.encryption === undefined ? {} : { encryption: config.encryption }),
  });
  if (keys.length === 0) {
    context.note('There are no keys yet: the first start makes them, or `gatelens keyring add` takes in a public one.');
    return;
  }
  context.print(
    textTable(
      ['id', 'seals', 'private half', 'from', 'public key'],
      keys.map((key) => [
        key.id,
        key.active ? 'yes' : '',
        key.hasPrivateKey ? 'here' : 'elsewhere',
        key.source,
        key.publicKey,
      ])
    )
  );
}

function printSigningKey(dataDir: string, context: CliContext): void {
  const key = signingPublicKey(dataDir);
  if (key === undefined) throw new UsageError(`There is no signing key in ${dataDir} yet: the first start makes it.`);
  context.print(key.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  context.note(`${key.id}. Keep it where the gateway cannot change it, for "gatelens verify --public-key".`);
}

function keyIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new UsageError(`${file} cannot be read (${code}). Give the file of the public key with --key-file.`);
  }
}
