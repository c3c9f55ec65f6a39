/**
 * `gatelens api-keys` and `gatelens tokens`: make, list, revoke. A secret is printed once and stored as a hash; a
 * running gateway notices by itself.
 */
import { Command, Option } from 'commander';
import { auditTokenFile } from '../access/audit-tokens.ts';
import { apiKeyFile } from '../access/api-keys.ts';
import {
  addCredential,
  isInForce,
  readCredentials,
  revokeCredential,
  type StoredCredential,
} from '../access/credential-file.ts';
import { normalizeEmail } from '../access/identity.ts';
import { createSecret, hashSecret } from '../access/secrets.ts';
import { NAME_PATTERN, TOKEN_ROLES, type TokenRole } from '../access/names.ts';
import { parseDuration } from '../config.ts';
import { dataDirOf, withDataDirOptions } from './common-options.ts';
import { UsageError, type CliContext } from './context.ts';
import { textTable } from './text-table.ts';

interface Kind {
  readonly prefix: 'gl_' | 'gla_';
  readonly noun: string;
  fileIn(dataDir: string): string;
}
const API_KEYS: Kind = { prefix: 'gl_', noun: 'API key', fileIn: apiKeyFile };
const TOKENS: Kind = { prefix: 'gla_', noun: 'token', fileIn: auditTokenFile };

interface Options {
  readonly config?: string;
  readonly dataDir?: string;
  readonly name: string;
  readonly user?: string;
  readonly team?: string[];
  readonly role?: TokenRole;
  readonly server?: string[];
  readonly expires?: string;
}

export function apiKeysCommand(context: CliContext): Command {
  const create = new Command('create')
    .description('make a key for an MCP client; it is printed once')
    .requiredOption('--name <name>', 'name shown in the audit log')
    .option('--user <e-mail>', 'whose calls these are')
    .option('--team <team>', 'team of the calls; may be given more than once', collect)
    .option('--expires <when>', 'after a time (90d) or at a date (2027-06-30)')
    .addHelpText('after', '\nExample:\n  $ gatelens api-keys create --name ci --user ana@example.com --expires 90d');
  return group('api-keys', 'keys of MCP clients', API_KEYS, context, create);
}

export function tokensCommand(context: CliContext): Command {
  const create = new Command('create')
    .description('make a token for automation; it is printed once')
    .requiredOption('--name <name>', 'name shown in the access log')
    .addOption(
      new Option('--role <role>', 'viewer: own calls of --user; admin: metadata of everybody; auditor: payloads, too')
        .choices(TOKEN_ROLES)
        .makeOptionMandatory()
    )
    .option('--user <e-mail>', 'whose token it is; a viewer needs one')
    .option('--server <server>', 'limit an auditor to a server; may be given more than once', collect)
    .option('--expires <when>', 'after a time (90d) or at a date (2027-06-30)')
    .addHelpText('after', '\nExample:\n  $ gatelens tokens create --name siem --role auditor --expires 90d');
  return group('tokens', 'tokens of the audit API', TOKENS, context, create);
}

function group(name: string, about: string, kind: Kind, context: CliContext, create: Command): Command {
  const list = new Command('list').description('names, owners and state; never secrets');
  const revoke = new Command('revoke').description('refuse it from now on').requiredOption('--name <name>', 'which');
  withDataDirOptions(create).action((options: Options) => createOne(kind, options, context));
  withDataDirOptions(list).action((options: Options) => listAll(kind, options, context));
  withDataDirOptions(revoke).action((options: Options) => revokeOne(kind, options, context));
  return new Command(name)
    .description(`${about}: create, list, revoke`)
    .addCommand(create)
    .addCommand(list)
    .addCommand(revoke);
}

function createOne(kind: Kind, options: Options, context: CliContext): void {
  if (!NAME_PATTERN.test(options.name) || options.name === 'anonymous') {
    throw new UsageError('--name takes letters, digits, `.`, `_` and `-`, at most 64, and not the word anonymous.');
  }
  if (options.role === 'viewer' && options.user === undefined) {
    throw new UsageError(
      'A viewer sees own calls only, so the token needs --user with the e-mail the calls are recorded under.'
    );
  }
  if (options.role !== undefined && options.role !== 'auditor' && options.server !== undefined) {
    throw new UsageError('--server limits auditor tokens only.');
  }
  const now = context.now();
  const secret = createSecret(kind.prefix);
  const file = kind.fileIn(dataDirOf(options, context));
  addCredential(file, {
    name: options.name,
    sha256: hashSecret(secret),
    createdAt: now.toISOString(),
    ...(options.user === undefined ? {} : { user: normalizeEmail(options.user) }),
    ...(options.team === undefined ? {} : { teams: options.team }),
    ...(options.role === undefined ? {} : { role: options.role }),
    ...(options.server === undefined ? {} : { servers: options.server }),
    ...(options.expires === undefined ? {} : { expires: expiryOf(options.expires, now) }),
  });
  context.print(`${secret}\n`);
  context.note(
    `This is the only time the ${kind.noun} is shown; its hash is in ${file}. A running Gatelens knows it at once. ` +
      `Send it as \`Authorization: Bearer ${kind.prefix}…\`.`
  );
}

function expiryOf(when: string, now: Date): string {
  const durationMs = parseDuration(when);
  const at = durationMs === undefined ? Date.parse(when) : now.getTime() + durationMs;
  if (Number.isNaN(at)) throw new UsageError('--expires takes a time from now, e.g. 90d, or a date, e.g. 2027-06-30.');
  if (at <= now.getTime()) throw new UsageError('--expires lies in the past.');
  if (at > 8.64e15) throw new UsageError('--expires lies too far ahead.');
  return new Date(at).toISOString();
}

function listAll(kind: Kind, options: Options, context: CliContext): void {
  const credentials = readCredentials(kind.fileIn(dataDirOf(options, context)));
  if (credentials.length === 0) {
    context.note(
      `No ${kind.noun} has been made in this data directory. Those of the configuration file are not listed here.`
    );
    return;
  }
  const nowMs = context.now().getTime();
  const rows = credentials.map((one) => [
    one.name,
    one.role ?? '',
    one.user ?? '',
    [...(one.teams ?? []), ...(one.servers ?? [])].join(','),
    one.createdAt.slice(0, 10),
    one.expires?.slice(0, 10) ?? 'never',
    stateOf(one, nowMs),
  ]);
  context.print(
    textTable(['name', 'role', 'user', kind === API_KEYS ? 'teams' : 'servers', 'created', 'expires', 'state'], rows)
  );
}

function stateOf(one: StoredCredential, nowMs: number): string {
  if (one.revokedAt !== undefined) return `revoked ${one.revokedAt.slice(0, 10)}`;
  return isInForce(one, nowMs) ? 'in force' : 'expired';
}

function revokeOne(kind: Kind, options: Options, context: CliContext): void {
  const file = kind.fileIn(dataDirOf(options, context));
  if (!revokeCredential(file, options.name, context.now())) {
    throw new UsageError(
      `There is no ${kind.noun} in force with that name in ${file}. \`list\` shows those there are.`
    );
  }
  context.note(`Revoked. A running Gatelens refuses it within a second.`);
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
