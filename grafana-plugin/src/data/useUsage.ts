/** Figures of the Usage page. Each part is a request of its own, so that a slow one holds up none of the others. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getJson, getText, type ApiQuery } from './api.ts';
import type {
  Concurrency,
  UsageClients,
  UsageOverTime,
  UsageServers,
  UsageSummary,
  UsageTools,
  UsageUnused,
  UsageUsers,
} from './contract.ts';

interface UsageTables {
  servers: UsageServers;
  tools: UsageTools;
  users: UsageUsers;
  clients: UsageClients;
}
export type UsageTableName = keyof UsageTables;

const BUCKETS = 60;
/** as many as anybody reads; the CSV has all */
const ROWS = 200;
const CSV_ROWS = 1000;

export function useUsageSummary(query: ApiQuery) {
  return useUsage<UsageSummary>('summary', { ...query, limit: 1 });
}

export function useUsageOverTime(query: ApiQuery) {
  return useUsage<UsageOverTime>('timeline', { ...query, buckets: BUCKETS });
}

export function useConcurrency(query: ApiQuery) {
  return useUsage<Concurrency>('concurrency', { ...query, buckets: BUCKETS });
}

export function useUsageTable<Name extends UsageTableName>(name: Name, query: ApiQuery) {
  return useUsage<UsageTables[Name]>(name, { ...query, limit: ROWS });
}

export function useUnused(query: ApiQuery) {
  return useUsage<UsageUnused>('unused', query);
}

/** The same table as a file, whole. */
export function usageCsv(name: UsageTableName | 'unused', query: ApiQuery): Promise<string> {
  return getText(`/usage/${name}`, { ...query, limit: CSV_ROWS, format: 'csv' });
}

function useUsage<T>(name: string, query: ApiQuery) {
  return useQuery({
    queryKey: ['usage', name, query],
    queryFn: ({ signal }) => getJson<T>(`/usage/${name}`, query, signal),
    placeholderData: keepPreviousData,
  });
}
