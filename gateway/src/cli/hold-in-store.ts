/**
 * The work of `gatelens hold`: records it in the audit API's chain, writes the hold down, then takes TTLs from the tables or
 * puts them back. Written down first, so that a hold that was cut off half-way is in force at the next start or `migrate`.
 * Loads the store and the engine, so it is imported only when it is needed.
 */
import { randomBytes } from 'node:crypto';
import { schemaTarget } from '../assembly/store.ts';
import type { GatelensConfig } from '../config.ts';
import { GatelensError, isGatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { inForce, readHolds, writeHold, type LegalHold } from '../store/legal-holds.ts';
import { applyRetention } from '../store/migrations.ts';
import { createStoreReader } from '../store/queries/clickhouse-reader.ts';
import { recordedWork, type StoreLogin, type WorkParts } from './recorded-work.ts';
import { reachStore } from './reach-store.ts';

interface HoldWork {
  readonly config: GatelensConfig;
  readonly logger: Logger;
  readonly version: string;
  readonly now: () => Date;
  /** who may define tables on a server; omitted: `store.admin`, else the user of `store` */
  readonly admin?: StoreLogin;
}

export interface NewHold {
  readonly reason: string;
  readonly by: string;
  readonly user?: string;
  readonly server?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** @throws GatelensError; after `migration_failed` the hold is written down, and the next `migrate` puts it in force */
export async function addHold(work: HoldWork, wanted: NewHold): Promise<LegalHold> {
  return recordedWork(asAdmin(work), async ({ client, userKeyOf, record }) => {
    const hold: LegalHold = {
      id: `hold-${randomBytes(4).toString('hex')}`,
      reason: wanted.reason,
      setBy: wanted.by,
      setAtMs: work.now().getTime(),
      userKey: wanted.user === undefined ? '' : userKeyOf(wanted.user),
      server: wanted.server ?? '',
      fromMs: wanted.fromMs ?? 0,
      toMs: wanted.toMs ?? 0,
      releasedAtMs: 0,
      releasedBy: '',
    };
    await change(work, { client, record }, 'hold.add', hold);
    return hold;
  });
}

/** @throws GatelensError `not_found` */
export async function releaseHold(work: HoldWork, id: string, by: string): Promise<{ readonly left: number }> {
  return recordedWork(asAdmin(work), async ({ client, record }) => {
    const reader = createStoreReader(client);
    const hold = inForce(await readHolds(reader)).find((one) => one.id === id);
    if (hold === undefined) {
      throw new GatelensError('not_found', 'No hold in force has this id. See: gatelens hold list');
    }
    const released = { ...hold, releasedAtMs: work.now().getTime(), releasedBy: by };
    await change(work, { client, record }, 'hold.release', released);
    return { left: inForce(await readHolds(reader)).length };
  });
}

/** The access log has the attempt first, and that it came to nothing where the store does not let this user. */
async function change(
  { config, logger }: HoldWork,
  { client, record }: Pick<WorkParts, 'client' | 'record'>,
  action: 'hold.add' | 'hold.release',
  hold: LegalHold
): Promise<void> {
  const entry = { action, targetUserKey: hold.userKey, targetServer: hold.server };
  await record({ ...entry, decision: 'allowed', detail: detailOf(hold) });
  const target = schemaTarget(config);
  try {
    await writeHold(client, hold, target.sharded === true);
  } catch (cause) {
    await record({ ...entry, decision: 'refused', detail: { ...detailOf(hold), failed: true } });
    if (!isGatelensError(cause)) throw cause;
    const advice = 'Nothing was changed. On a server this takes store.admin in the configuration, or --admin.';
    throw new GatelensError(cause.code, `${cause.message} ${advice}`, { cause });
  }
  await applyRetention({ client, target, logger });
}

/** Reads only, so it works beside a running Gatelens. People by name where the store still knows one. */
export async function listHolds(
  config: GatelensConfig,
  logger: Logger
): Promise<{ readonly holds: readonly LegalHold[]; readonly emails: ReadonlyMap<string, string> }> {
  const store = await reachStore(config, logger);
  try {
    const holds = await readHolds(store.reader);
    const keys = [...new Set(holds.map(({ userKey }) => userKey).filter((key) => key !== ''))];
    const rows =
      keys.length === 0
        ? []
        : await store.reader.query<{ user_key: string; email: string }>(
            'SELECT user_key, email FROM mcp_protected.principals FINAL WHERE user_key IN {keys:Array(String)}',
            { keys }
          );
    return { holds, emails: new Map(rows.map((row) => [row.user_key, row.email])) };
  } finally {
    await store.close();
  }
}

function asAdmin({ config, logger, version, admin }: HoldWork): Parameters<typeof recordedWork>[0] {
  const configured = config.store?.admin;
  const login = admin ?? (configured && { username: configured.username, password: configured.password ?? '' });
  return { config, logger, version, embeddedUser: 'gatelens_admin', ...(login === undefined ? {} : { login }) };
}

/** Neither the reason nor who asked: both may name people, and stand in the protected table. */
function detailOf({ id, fromMs, toMs }: LegalHold): Record<string, string> {
  return {
    by: 'command',
    hold: id,
    ...(fromMs === 0 ? {} : { from: new Date(fromMs).toISOString() }),
    ...(toMs === 0 ? {} : { to: new Date(toMs).toISOString() }),
  };
}
