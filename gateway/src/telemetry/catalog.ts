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
  readonly #names: Record<TargetType, Map<string, Set<string>>> = {
    tool: new Map<string, Set<string>>(),
    prompt: new Map<string, Set<string>>(),
    resource: new Map<string, Set<string>>(),
  };
  readonly #maxNames: number;

  /** @param maxNames per server and type; the number of servers is bounded by the configuration */
  constructor(maxNames: number = MAX_NAMES) {
    this.#maxNames = maxNames;
  }

  /** @param name as display-names.ts made it; so is what `learn` gets */
  displayed(server: string, type: TargetType, name: string): string {
    return this.#names[type].get(server)?.has(name) === true ? name : UNLISTED;
  }

  learn(server: string, type: TargetType, name: string): void {
    let names = this.#names[type].get(server);
    if (names === undefined) {
      names = new Set<string>();
      this.#names[type].set(server, names);
    }
    // The order matters only when something may be forgotten soon.
    if (names.size * 2 > this.#maxNames) names.delete(name);
    names.add(name);
    if (names.size > this.#maxNames) {
      const [oldest] = names;
      if (oldest !== undefined) names.delete(oldest);
    }
  }
}

/** Methods that succeed only for names that exist; servers answer e.g. completion/complete for any name. */
const PROVING_METHODS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/**
 * Takes from a finished call what its upstream server owned up to.
 * @param target of the call, named as display-names.ts does
 */
export function learnNames(catalog: NameCatalog, start: CallStart, end: CallEnd, target: CallStart['target']): void {
  if (end.outcome !== 'success' || !start.serverKnown) return;
  const { server } = start;
  if (target !== undefined && start.kind === 'request' && PROVING_METHODS.has(start.method)) {
    catalog.learn(server, target.type, target.name);
  }
  if (end.listed === undefined) return;
  const { type, names } = end.listed;
  for (const name of names) catalog.learn(server, type, displayTarget(type, name));
}
