/**
 * Everything that the pages stand on, for real: Gatelens in a process of its own with its embedded store, MCP servers,
 * MCP clients that call through it, the stand-in for Grafana with the built plugin, and Chromium.
 */
import type { Browser } from 'playwright-core';
import type { GatelensProcess } from '../../../gateway/test/e2e/gatelens-process.ts';
import { bearer, connectClient, type ConnectedClient } from '../../../gateway/test/e2e/mcp-clients.ts';
import { People } from '../../../gateway/test/e2e/people.ts';
import type { Preview } from '../../preview/server.ts';
import { launchChromium } from './chromium.ts';
import { connectGatelens, type ConnectedGatelens } from './connected-gatelens.ts';
import { GrafanaUser } from './grafana-user.ts';
import { startSampleServer, type SampleServer } from './sample-server.ts';

/** Servers that people call; `memory` is the one that an auditor of one server may open. */
export const SERVERS = ['sample', 'memory'] as const;
const CAPTURED_BYTES = '8MB';
const BODY_BYTES = '16MB';

export class World {
  readonly gatelens: GatelensProcess;
  readonly preview: Preview;
  readonly browser: Browser;
  /** what the plugin's settings must hold */
  readonly routeSecret: string;
  readonly #connected: ConnectedGatelens;
  readonly #people: People;
  readonly #sample: SampleServer;
  readonly #users: GrafanaUser[] = [];

  constructor(parts: { connected: ConnectedGatelens; browser: Browser; people: People; sample: SampleServer }) {
    this.#connected = parts.connected;
    this.gatelens = parts.connected.gatelens;
    this.preview = parts.connected.preview;
    this.routeSecret = parts.connected.routeSecret;
    this.browser = parts.browser;
    this.#people = parts.people;
    this.#sample = parts.sample;
  }

  /** @param config of Gatelens, added to what the pages need */
  static async start(config: Readonly<Record<string, unknown>> = {}): Promise<World> {
    const people = new People();
    for (const name of ['ana', 'erik', 'bob']) people.addKey(name, { user: `${name}@example.com` });
    const [sample, browser] = await Promise.all([startSampleServer(), launchChromium()]);
    const server = { url: sample.url };
    const connected = await connectGatelens({
      ...config,
      mcpServers: { sample: server, memory: server },
      auth: { apiKeys: people.apiKeys },
      policy: [
        { name: 'not-for-erik', allow: false, users: ['erik@example.com'], tools: ['fail'] },
        { name: 'everyone', allow: true },
      ],
      capture: { maxBytes: CAPTURED_BYTES },
      limits: { bodyBytes: BODY_BYTES },
    });
    await connected.start();
    return new World({ connected, browser, people, sample });
  }

  /** An MCP client of somebody, connected to a server through the gateway. */
  client(name: string, server: (typeof SERVERS)[number] = 'sample'): Promise<ConnectedClient> {
    return connectClient(this.gatelens.mcp(server), { headers: bearer(this.#people.of(name)), name: `${name}-client` });
  }

  /** A tool call in a session of its own. */
  async call(name: string, tool: string, args: object = {}, server?: (typeof SERVERS)[number]): Promise<void> {
    const { client, close } = await this.client(name, server);
    // a tool has a name in metadata once the gateway has seen it listed
    await client.listTools();
    await client.callTool({ name: tool, arguments: args as Record<string, unknown> }).catch(() => undefined);
    await close();
  }

  /** Everything that was called can be seen. */
  settled(): Promise<void> {
    return this.gatelens.settled();
  }

  /** Somebody with a browser of their own, signed in to the stand-in. */
  async user(login: string, options: { readonly theme?: 'light' | 'dark'; readonly width?: number } = {}) {
    const user = await GrafanaUser.open(this.browser, this.preview.url, login, options);
    this.#users.push(user);
    return user;
  }

  async close(): Promise<void> {
    await Promise.all(this.#users.map((user) => user.close()));
    await this.browser.close();
    await this.#connected.close();
    await this.#sample.close();
  }
}
