/**
 * Says in the log what the store set aside: records and events of a newer gateway, and bodies that cannot be read. They are
 * kept and counted (0009_collector.sql); whoever reads logs and has no Grafana should know, too. Reads names and counts, nobody's
 * data; decides nothing.
 */
import type { Logger } from '../logger.ts';
import type { StoreReader } from './queries/reader.ts';
import { QUERY_SETTINGS } from './queries/reader.ts';

interface SetAsideRow {
  readonly what: string;
  readonly reason: string;
  readonly n: number | string;
}

const COUNTS = `SELECT what, reason, count() AS n FROM mcp.grafana_set_aside GROUP BY what, reason ORDER BY what, reason ${QUERY_SETTINGS}`;

/** @returns looks again and logs what has become more; a store that does not answer is somebody else's to tell */
export function createSetAsideWatch(store: StoreReader, logger: Logger): () => Promise<void> {
  const known = new Map<string, number>();
  return async () => {
    const rows = await store.query<SetAsideRow>(COUNTS, {}).catch((): SetAsideRow[] => []);
    for (const { what, reason, n } of rows) {
      const total = Number(n);
      const before = known.get(`${what} ${reason}`) ?? 0;
      known.set(`${what} ${reason}`, total);
      if (total > before) logger.warn('store.set_aside', { what, reason, more: total - before, total });
    }
  };
}
