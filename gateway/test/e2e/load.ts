/**
 * Load on a running gateway: so many connections kept alive, each with one call under way, each call with an id of its
 * own. Remembers what the client side knows: which calls were begun, and which were answered whole and right.
 */
import { Agent } from 'node:http';
import { send, toolCall } from './mcp-clients.ts';

export interface LoadOptions {
  readonly url: () => URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly arguments?: object;
}

export class Load {
  /** ids that were sent, or may have been */
  readonly begun = new Set<number>();
  /** ids whose answer the client has whole: a result with this id */
  readonly acknowledged = new Set<number>();
  /** ids that were answered, but with an error */
  readonly refused = new Map<number, number>();
  /** answers that broke off, connections that were refused */
  broken = 0;
  readonly #options: LoadOptions;
  #nextId = 1;
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopping = false;
    const agent = new Agent({ keepAlive: true, maxSockets: this.#options.connections });
    const workers = Array.from({ length: this.#options.connections }, () => this.#work(agent));
    this.#running = Promise.all(workers).then(() => agent.destroy());
  }

  /** Lets what is under way come to its end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #work(agent: Agent): Promise<void> {
    while (!this.#stopping) {
      const id = this.#nextId++;
      this.begun.add(id);
      try {
        const body = toolCall(id, 'any', this.#options.arguments);
        const answer = await send(this.#options.url(), { headers: this.#options.headers, body, agent });
        const message = JSON.parse(answer.body) as { id: unknown; result?: unknown };
        if (answer.status === 200 && message.id === id && message.result !== undefined) this.acknowledged.add(id);
        else this.refused.set(id, answer.status);
      } catch {
        this.broken += 1;
        // nobody there: not a thousand ids a second for nothing
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}
