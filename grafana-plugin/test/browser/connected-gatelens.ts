/**
 * A Gatelens and the stand-in for Grafana that know each other: what tests, screenshots and figures of the pages begin
 * with. Gatelens is not started yet, since one may want to fill its store first.
 */
import { randomBytes } from 'node:crypto';
import { GatelensProcess } from '../../../gateway/test/e2e/gatelens-process.ts';
import { AUDITOR_TEAMS, startPreview, type Preview } from '../../preview/server.ts';

type Config = NonNullable<NonNullable<ConstructorParameters<typeof GatelensProcess>[0]>['config']>;

export interface ConnectedGatelens {
  readonly gatelens: GatelensProcess;
  readonly preview: Preview;
  /** what the plugin's settings must hold */
  readonly routeSecret: string;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** @param config of Gatelens, added to what the pages need */
export async function connectGatelens(
  config: Readonly<Record<string, unknown>> & Pick<Config, 'mcpServers'>
): Promise<ConnectedGatelens> {
  const secrets = {
    routeSecret: randomBytes(32).toString('hex'),
    serviceAccountToken: randomBytes(32).toString('hex'),
  };
  const preview = await startPreview({ port: 0, ...secrets });
  const auditorTeams = AUDITOR_TEAMS.map(({ team, servers }) => ({ team, servers: [...servers] }));
  const gatelens = new GatelensProcess({
    config: { ...config, auditApi: { grafana: { url: preview.url, ...secrets, auditorTeams } } },
  });
  return {
    gatelens,
    preview,
    routeSecret: secrets.routeSecret,
    start: async () => {
      await gatelens.start();
      preview.provision(gatelens.urls.auditApi);
    },
    close: async () => {
      await gatelens.dispose();
      await preview.close();
    },
  };
}
