/**
 * Which names of tools, prompts and resources each upstream server owns up to: those it listed, and those it answered
 * with a result. Only these are shown in metadata; any other name may be an agent's invention and may hold payload.
 * In memory, bounded: the names used longest ago are forgotten first (and shown as `(unlisted)` until seen again).
 */
import type { CallEnd, CallStart } from '../mcp/observer.ts';
import { UNLISTED } from '../record/vocabulary.ts';
import { displayTarget } from './display-names.ts';

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

/** Methods that succeed only for names that exist; servers answer e.g. completion/complete for any name. */
const PROVING_METHODS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Takes from a finished call what its upstream server owned up to. */
export function learnNames(catalog: NameCatalog, start: CallStart, end: CallEnd): void {
  if (end.outcome !== 'success' || !start.serverKnown) return;
  const { server, target } = start;
  if (target !== undefined && start.kind === 'request' && PROVING_METHODS.has(start.method)) {
    catalog.learn(server, target.type, displayTarget(target.type, target.name));
  }
  if (end.listed === undefined) return;
  const { type, names } = end.listed;
  for (const name of names) catalog.learn(server, type, displayTarget(type, name));
}
