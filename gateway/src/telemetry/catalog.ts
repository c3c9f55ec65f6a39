/**
 * Which names of tools, prompts and resources each upstream server owns up to: those it listed, and those it answered
 * with a result. Only these are shown in metadata; any other name may be an agent's invention and may hold payload.
 * In memory, bounded: the names used longest ago are forgotten first (and shown as `(unlisted)` until seen again).
 */
import { UNLISTED } from '../record/vocabulary.ts';

export type TargetType = 'tool' | 'prompt' | 'resource';

const MAX_NAMES = 5000;

export class NameCatalog {
  readonly #names = new Map<string, Set<string>>();
  readonly #maxNames: number;

  /** @param maxNames per server and type; the number of servers is bounded by the configuration */
  constructor(maxNames: number = MAX_NAMES) {
    this.#maxNames = maxNames;
  }

  /** @param name as display-names.ts made it; so is what `learn` gets */
  displayed(server: string, type: TargetType, name: string): string {
    return this.#names.get(`${type}\n${server}`)?.has(name) === true ? name : UNLISTED;
  }

  learn(server: string, type: TargetType, name: string): void {
    const key = `${type}\n${server}`;
    const names = this.#names.get(key) ?? new Set<string>();
    if (names.size === 0) this.#names.set(key, names);
    names.delete(name);
    names.add(name);
    if (names.size > this.#maxNames) {
      const [oldest] = names;
      if (oldest !== undefined) names.delete(oldest);
    }
  }
}
