/** Users × servers from the rows of the audit API: totals both ways, and the order that the reader asked for. */
import type { UserServerUsage } from '../data/contract.ts';
import { userFilterValue, userName } from '../format/people.ts';

export interface HeatUser {
  readonly key: string;
  readonly name: string;
  readonly filterValue: string;
  readonly total: number;
  /** calls by server */
  readonly calls: ReadonlyMap<string, number>;
}

export interface Heat {
  /** most calls first */
  readonly servers: readonly string[];
  readonly users: readonly HeatUser[];
  readonly highest: number;
}

export function heatOf(items: readonly UserServerUsage[]): Heat {
  const servers = new Map<string, number>();
  const users = new Map<string, HeatUser & { total: number; calls: Map<string, number> }>();
  let highest = 0;
  for (const { user, server, calls } of items) {
    servers.set(server, (servers.get(server) ?? 0) + calls);
    const key = user?.key ?? '';
    const row = users.get(key) ?? {
      key,
      name: userName(user),
      filterValue: userFilterValue(user),
      total: 0,
      calls: new Map<string, number>(),
    };
    row.total += calls;
    row.calls.set(server, (row.calls.get(server) ?? 0) + calls);
    highest = Math.max(highest, row.calls.get(server) ?? 0);
    users.set(key, row);
  }
  return {
    servers: [...servers].sort(([, a], [, b]) => b - a).map(([server]) => server),
    users: [...users.values()].sort((a, b) => b.total - a.total),
    highest,
  };
}

/** @param server undefined: by the total */
export function usersBy(heat: Heat, server: string | undefined): readonly HeatUser[] {
  if (server === undefined) return heat.users;
  return [...heat.users].sort((a, b) => (b.calls.get(server) ?? 0) - (a.calls.get(server) ?? 0));
}

/** @param userKey undefined: by the total */
export function serversBy(heat: Heat, userKey: string | undefined): readonly string[] {
  const user = userKey === undefined ? undefined : heat.users.find(({ key }) => key === userKey);
  if (user === undefined) return heat.servers;
  return [...heat.servers].sort((a, b) => (user.calls.get(b) ?? 0) - (user.calls.get(a) ?? 0));
}

/** 0 to 1; by logarithm, since a few make most of the calls. */
export function warmth(calls: number, highest: number): number {
  return calls === 0 || highest === 0 ? 0 : Math.log1p(calls) / Math.log1p(highest);
}
