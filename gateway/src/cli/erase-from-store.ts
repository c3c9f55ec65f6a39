/**
 * The work of `gatelens erase`: finds the person's key, asks whether a legal hold spares them, records the erasure in the
 * audit API's chain, destroys, looks again. Loads the store and the engine, so it is imported only when it is needed.
 */
import { schemaTarget } from '../assembly/store.ts';
import type { GatelensConfig } from '../config.ts';
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { eraseSubject, knownSubject, type KnownSubject } from '../store/erase-subject.ts';
import { holdsOn, readHolds } from '../store/legal-holds.ts';
import { createStoreReader } from '../store/queries/clickhouse-reader.ts';
import { recordedWork } from './recorded-work.ts';

export interface Erased {
  readonly before: KnownSubject;
  readonly after: KnownSubject;
}

/** @throws GatelensError `on_hold`: nothing was destroyed, and the attempt is in the access log */
export async function eraseFromStore(options: {
  readonly config: GatelensConfig;
  readonly user: string;
  readonly dryRun: boolean;
  readonly logger: Logger;
  readonly version: string;
}): Promise<Erased> {
  const { config, user, logger, version } = options;
  return recordedWork(
    { config, logger, version, embeddedUser: 'gatelens_api' },
    async ({ client, userKeyOf, record }) => {
      const userKey = userKeyOf(user);
      const before = await knownSubject(client, userKey);
      const holds = holdsOn(await readHolds(createStoreReader(client)), userKey);
      const ids = holds.map(({ id }) => id);
      if (holds.length > 0) {
        if (!options.dryRun) {
          await record({
            action: 'subject.erase',
            decision: 'refused',
            reason: 'on_hold',
            targetUserKey: userKey,
            detail: { by: 'command', holds: ids },
          });
        }
        throw new GatelensError(
          'on_hold',
          `Nothing was erased: a legal hold covers this person (${ids.join(', ')}; see "gatelens hold list"). Whoever answers for it must release it first: gatelens hold release --id <id> --by <who>.`
        );
      }
      if (options.dryRun || (before.keys === 0 && !before.named)) return { before, after: before };
      await record({
        action: 'subject.erase',
        decision: 'allowed',
        targetUserKey: userKey,
        detail: { by: 'command', keys: before.keys, payloads: before.payloads },
      });
      await eraseSubject(client, userKey, schemaTarget(config));
      return { before, after: await knownSubject(client, userKey) };
    }
  );
}
