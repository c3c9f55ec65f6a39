/**
 * Plays all scenes against a gateway, side by side, and tells how it goes. Knows nothing of how the gateway runs: it is
 * an MCP client with a URL and keys.
 */
import type { DemoCredentials } from './demo-credentials.ts';
import { SCENES, type Stage } from './scenes.ts';
import { startVisit } from './visit.ts';

export interface PerformanceOptions {
  /** base URL of the MCP listener */
  readonly mcpUrl: string;
  readonly credentials: DemoCredentials;
  readonly filesDir: string;
  /** whether the sample server over HTTP takes part */
  readonly overHttp: boolean;
  /** a line for the person who watches */
  readonly tell: (line: string) => void;
}

export interface Performance {
  /** JSON-RPC requests that left the clients; each must have a row */
  readonly requestsSent: number;
  /** scenes that did not go as planned */
  readonly failed: number;
}

export const HTTP_SERVER_NAME = 'everything-http';

export async function perform(options: PerformanceOptions): Promise<Performance> {
  const { mcpUrl, credentials, tell } = options;
  let requestsSent = 0;
  let failed = 0;
  await Promise.all(
    SCENES.map(async ({ person, about, play }) => {
      let requests = 0;
      const stage: Stage = {
        filesDir: options.filesDir,
        overHttp: options.overHttp ? HTTP_SERVER_NAME : 'everything',
        visit: (visitor, server) =>
          startVisit({
            person: visitor,
            apiKey: credentials.apiKeyOf(visitor),
            url: new URL(`/mcp/${server}`, mcpUrl),
            onRequest: () => (requests += 1),
          }),
      };
      const who = (person.user ?? person.key).padEnd(18);
      try {
        await play(stage);
        tell(`  ${who} ${about} (${requests} requests)`);
      } catch (error) {
        failed += 1;
        // The class only: a server's text belongs into the log that is shown here, not onto the terminal.
        tell(`  ${who} ${about}: stopped by ${error instanceof Error ? error.name : 'an error'}`);
      }
      requestsSent += requests;
    })
  );
  return { requestsSent, failed };
}
