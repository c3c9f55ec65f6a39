/**
 * What the gateway remembers of MCP sessions: whose they are, which client speaks and in which revision. Learnt from
 * `initialize` and bounded: forgetting costs a client's name in the record, nothing else. A session id is a capability
 * that an upstream server cannot tie to a person, since it only sees the gateway; so the gateway does.
 */
import type { ImplementationName } from './message.ts';

export interface SessionFacts {
  /** `Caller.userKey` of who opened it */
  readonly userKey: string;
  readonly client?: ImplementationName;
  readonly protocolVersion?: string;
}

const DEFAULT_CAPACITY = 20_000;

export class SessionDirectory {
  readonly #facts = new Map<string, SessionFacts>();
  readonly #capacity: number;

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  learn(server: string, sessionId: string, facts: SessionFacts): void {
    const key = keyOf(server, sessionId);
    this.#facts.delete(key);
    this.#facts.set(key, facts);
    if (this.#facts.size > this.#capacity) {
      const oldest = this.#facts.keys().next();
      if (oldest.done !== true) this.#facts.delete(oldest.value);
    }
  }

  /** Looking it up keeps it: the least recently used go first. */
  find(server: string, sessionId: string): SessionFacts | undefined {
    const key = keyOf(server, sessionId);
    const facts = this.#facts.get(key);
    if (facts !== undefined) {
      this.#facts.delete(key);
      this.#facts.set(key, facts);
    }
    return facts;
  }

  forget(server: string, sessionId: string): void {
    this.#facts.delete(keyOf(server, sessionId));
  }
}

function keyOf(server: string, sessionId: string): string {
  return `${server}\0${sessionId}`;
}

/** Names TCP connections, for callers without a session id. */
export class ConnectionNames {
  readonly #names = new WeakMap<object, string>();
  readonly #prefix: string;
  #count = 0;

  /** @param prefix unique for this process, so that names of two runs never meet */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  of(socket: object): string {
    let name = this.#names.get(socket);
    if (name === undefined) {
      name = `${this.#prefix}-${++this.#count}`;
      this.#names.set(socket, name);
    }
    return name;
  }
}
