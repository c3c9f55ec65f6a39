/**
 * The pages without Grafana, for the quick start: the stand-in that the repository brings beside the gateway, if it is
 * built. Lends the audit API a Grafana to believe: made-up people, teams and tokens, on loopback only. With a
 * configuration of somebody's own it is never started, since anybody on this machine can be an Auditor in it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GatelensConfig } from '../config.ts';

type GrafanaConfig = NonNullable<GatelensConfig['auditApi']['grafana']>;

export interface Pages {
  readonly url: string;
  /** what the audit API must know of it */
  readonly grafana: GrafanaConfig;
  /** Says where the audit API is. */
  readonly provision: (auditApiUrl: string) => void;
  readonly close: () => Promise<void>;
}

/** @returns undefined where there is no stand-in, or it is not built */
export type StartPages = () => Promise<Pages | undefined>;

const STAND_IN = join(import.meta.dirname, '..', '..', '..', 'grafana-plugin', 'preview', 'server.ts');
const PORT = 3000;

/** Of grafana-plugin/preview/server.ts, which is no part of this package. */
interface StandIn {
  readonly AUDITOR_TEAMS: readonly { readonly team: string; readonly servers: readonly string[] }[];
  readonly isBuilt: () => boolean;
  readonly startPreview: (options: {
    readonly port: number;
    readonly routeSecret: string;
    readonly serviceAccountToken: string;
  }) => Promise<Omit<Pages, 'grafana'>>;
}

export const startStandIn: StartPages = async () => {
  if (!existsSync(STAND_IN)) return undefined;
  const { startPreview, isBuilt, AUDITOR_TEAMS } = (await import(STAND_IN)) as StandIn;
  if (!isBuilt()) return undefined;
  const secrets = {
    routeSecret: randomBytes(32).toString('base64url'),
    serviceAccountToken: randomBytes(32).toString('base64url'),
  };
  // another program may have the usual port, such as a real Grafana
  const preview = await startPreview({ port: PORT, ...secrets }).catch(() => startPreview({ port: 0, ...secrets }));
  return {
    url: preview.url,
    grafana: {
      url: preview.url,
      org: 1,
      ...secrets,
      auditorTeams: AUDITOR_TEAMS.map(({ team, servers }) => ({ team, servers: [...servers] })),
      adminViewTeams: [],
      identityClaim: 'email',
      identities: [],
      trustContextTeams: false,
    },
    provision: preview.provision,
    close: preview.close,
  };
};
