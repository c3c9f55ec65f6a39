/**
 * `gatelens hold`: legal holds. While one is in force, retention removes no record, no payload and no access record, and
 * `gatelens erase` spares whom it covers. Setting and releasing are access records; a release is never a deletion by
 * itself, but retention goes on after it.
 */
import { Command } from 'commander';
import { parseInstant } from '../audit-api/time-range.ts';
import { createLogger } from '../logger.ts';
import type { LegalHold } from '../store/legal-holds.ts';
import { findConfig, withConfigOptions, type ConfigOptions } from './common-options.ts';
import { UsageError, type CliContext } from './context.ts';
import { textTable } from './text-table.ts';

interface ChangeOptions extends ConfigOptions {
  readonly by: string;
  readonly admin?: string;
}
interface AddOptions extends ChangeOptions {
  readonly reason: string;
  readonly user?: string;
  readonly server?: string;
  readonly from?: string;
  readonly to?: string;
}
interface ReleaseOptions extends ChangeOptions {
  readonly id: string;
}
interface ListOptions extends ConfigOptions {
  readonly all?: boolean;
}

const ADMIN_PASSWORD = 'GATELENS_STORE_ADMIN_PASSWORD';
const STOP = `
Stop Gatelens first (or the audit API, where that is apart): it is recorded, and only one process may write its records. On
a server this changes tables, so it needs store.admin in the configuration, or --admin with the password in
${ADMIN_PASSWORD}.
`;

export function holdCommand(context: CliContext, version: string): Command {
  const add = withAdmin(new Command('add'))
    .description('keep everything until it is released')
    .requiredOption('--reason <text>', 'why, e.g. the number of a case')
    .requiredOption('--by <who>', 'who answers for it')
    .option('--user <e-mail>', 'about whom; for an API key without a person: key:<name>; default: everybody')
    .option('--server <server>', 'about which server; default: all')
    .option('--from <time>', 'about calls from then on, RFC 3339 or now-30d; default: from the first on')
    .option('--to <time>', 'exclusive; default: also those to come')
    .addHelpText(
      'after',
      `${STOP}
While any hold is in force nothing at all is removed by retention, so what it is about is kept for certain. What it is about
says who may not be erased: with --user that person, without it anybody.

Example:
  $ gatelens hold add --reason "case 2026-117" --by legal@example.com --user ana@example.com`
    )
    .action(async (options: AddOptions) => {
      const { addHold } = await import('./hold-in-store.ts');
      const wanted = newHold(options, context);
      const hold = await addHold(workOf(options, context, version), wanted);
      context.note(
        `${hold.id} is in force: retention removes no record, payload or access record until it is released.`
      );
    });
  const release = withAdmin(new Command('release'))
    .description('let retention go on, once no other hold is in force')
    .requiredOption('--id <id>', 'as `hold list` shows it')
    .requiredOption('--by <who>', 'who answers for it')
    .addHelpText('after', `${STOP}\nExample:\n  $ gatelens hold release --id hold-1f0c22ab --by legal@example.com`)
    .action(async (options: ReleaseOptions) => {
      const { releaseHold } = await import('./hold-in-store.ts');
      const { left } = await releaseHold(workOf(options, context, version), options.id, nameOf('--by', options.by));
      context.note(
        left === 0
          ? `${options.id} is released. No hold is in force: retention removes what is older than it from now on.`
          : `${options.id} is released. ${left} still in force, so nothing is removed.`
      );
    });
  const list = withConfigOptions(new Command('list'))
    .description('holds in force')
    .option('--all', 'released ones, too')
    .action(async (options: ListOptions) => {
      const { config } = findConfig(options, context, false).loaded;
      const { listHolds } = await import('./hold-in-store.ts');
      const { holds, emails } = await listHolds(config, createLogger(context.log, context.now));
      const shown = options.all === true ? holds : holds.filter((hold) => hold.releasedAtMs === 0);
      if (shown.length === 0) {
        context.note('No hold is in force.');
        return;
      }
      const head = ['id', 'since', 'by', 'user', 'server', 'from', 'to', 'released', 'released by', 'reason'];
      context.print(
        textTable(
          head,
          shown.map((hold) => rowOf(hold, emails))
        )
      );
    });
  return new Command('hold')
    .description('legal holds: keep records beyond their retention')
    .addCommand(add)
    .addCommand(list)
    .addCommand(release);
}

function withAdmin(command: Command): Command {
  return withConfigOptions(command).option('--admin <user>', `of the store's server; password: ${ADMIN_PASSWORD}`);
}

function workOf(options: ChangeOptions, context: CliContext, version: string) {
  const { config } = findConfig(options, context, false).loaded;
  const password = context.env[ADMIN_PASSWORD];
  if (options.admin !== undefined && (password === undefined || password === '')) {
    throw new UsageError(`--admin takes the password from ${ADMIN_PASSWORD}.`);
  }
  return {
    config,
    version,
    logger: createLogger(context.log, context.now),
    now: context.now,
    ...(options.admin === undefined ? {} : { admin: { username: options.admin, password: password ?? '' } }),
  };
}

function newHold(options: AddOptions, context: CliContext) {
  const fromMs = instantOf('--from', options.from, context);
  const toMs = instantOf('--to', options.to, context);
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) throw new UsageError('--from must be before --to.');
  return {
    reason: nameOf('--reason', options.reason),
    by: nameOf('--by', options.by),
    ...(options.user === undefined ? {} : { user: nameOf('--user', options.user) }),
    ...(options.server === undefined ? {} : { server: nameOf('--server', options.server) }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  };
}

/** A hold for `''` would be one for everybody. */
function nameOf(option: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new UsageError(`${option} is empty.`);
  return trimmed;
}

function instantOf(option: string, text: string | undefined, { now }: CliContext): number | undefined {
  if (text === undefined) return undefined;
  const ns = parseInstant(text, BigInt(now().getTime()) * 1_000_000n);
  if (ns === undefined) throw new UsageError(`${option} ${text}: write e.g. 2026-11-01T00:00:00Z or now-30d.`);
  return Number(ns / 1_000_000n);
}

function rowOf(hold: LegalHold, emails: ReadonlyMap<string, string>): string[] {
  const time = (ms: number): string => (ms === 0 ? '' : new Date(ms).toISOString());
  const { userKey } = hold;
  return [
    hold.id,
    time(hold.setAtMs),
    hold.setBy,
    userKey === '' ? '' : nameOfPerson(userKey, emails),
    hold.server,
    time(hold.fromMs),
    time(hold.toMs),
    time(hold.releasedAtMs),
    hold.releasedBy,
    hold.reason,
  ];
}

/** A person without an e-mail is known by the hash. */
function nameOfPerson(userKey: string, emails: ReadonlyMap<string, string>): string {
  const email = emails.get(userKey) ?? '';
  return email === '' ? userKey : email;
}
