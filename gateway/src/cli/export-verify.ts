/**
 * `gatelens export verify`: are these files what was exported, are they all there, and do consecutive windows join?
 * Needs the files and a public key; asks nobody.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { VerifiedExport } from '../exports/verify-files.ts';
import { dataDirOf } from './common-options.ts';
import { CommandFailed, UsageError, type CliContext } from './context.ts';
import { textTable } from './text-table.ts';

interface Options {
  readonly publicKey: readonly string[];
  readonly dataDir?: string;
  readonly config?: string;
}

const MANIFEST = '.manifest.json';

export function exportVerifyCommand(context: CliContext): Command {
  return new Command('verify')
    .description('check exported files: manifest, signature, checksums, rows, and that windows join')
    .argument('<file...>', 'manifests, exported files, or directories of them')
    .addOption(
      new Option('--public-key <file>', 'Ed25519 key, PEM or JWK; repeatable; default: that of the data directory')
        .argParser((file: string, files: readonly string[]) => [...files, file])
        .default([], 'the key of the data directory')
    )
    .option('-c, --config <file>', 'configuration that names the data directory')
    .option('--data-dir <dir>', 'data directory; default: .gatelens here')
    .addHelpText(
      'after',
      `
Exit code 0: everything is as it was exported. 1: it is not; what is wrong is listed.

Examples:
  $ gatelens keyring signing-key > gatelens.pem       where Gatelens runs, then anywhere:
  $ gatelens export verify exports/ --public-key gatelens.pem`
    )
    .action((files: string[], _options: Options, command: Command) =>
      verifyExports(files, command.optsWithGlobals<Options>(), context)
    );
}

async function verifyExports(files: readonly string[], options: Options, context: CliContext): Promise<void> {
  const [{ verifyManifests }, { decodeSigningPublicKey, signingPublicKey }] = await Promise.all([
    import('../exports/verify-files.ts'),
    import('../protection/signing-keys.ts'),
  ]);
  const own = options.publicKey.length > 0 ? undefined : signingPublicKey(dataDirOf(options, context));
  const given = options.publicKey.map((file) => decodeSigningPublicKey(readText(resolve(context.cwd, file)), file));
  const keys = own === undefined ? given : [own];
  if (keys.length === 0) throw new UsageError('There is no signing key here. Name one by --public-key.');
  const manifests = [...new Set(files.flatMap((file) => manifestsOf(resolve(context.cwd, file))))];
  if (manifests.length === 0) throw new UsageError('There is no manifest beside these files (*.manifest.json).');
  const verified = await verifyManifests(manifests, keys);
  context.print(textTable(['manifest', 'from', 'to', 'files', 'rows', 'state'], verified.map(lineOf)));
  const wrong = verified.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`));
  for (const line of wrong) context.note(line);
  if (wrong.length > 0) throw new CommandFailed();
  context.note(`Everything is as it was exported: ${verified.length} manifests.`);
}

function lineOf({ name, from, to, parts, rows, problems }: VerifiedExport): string[] {
  return [name, from, to, String(parts), String(rows), problems.length === 0 ? 'ok' : 'wrong'];
}

function manifestsOf(path: string): string[] {
  let info;
  try {
    info = statSync(path);
  } catch {
    throw new UsageError(`${path} is not there.`);
  }
  if (info.isDirectory()) {
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(MANIFEST))
      .map((name) => join(path, name));
  }
  if (path.endsWith(MANIFEST)) return [path];
  const directory = resolve(path, '..');
  const name = path.slice(directory.length + 1);
  const listing = readdirSync(directory)
    .filter((one) => one.endsWith(MANIFEST))
    .filter((one) => one === `${name}${MANIFEST}` || readText(join(directory, one)).includes(JSON.stringify(name)));
  if (listing.length === 0) throw new UsageError(`${path} has no manifest beside it.`);
  return listing.map((one) => join(directory, one));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`${file} cannot be read.`);
  }
}
