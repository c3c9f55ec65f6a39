/**
 * What the gateway remembers of MCP sessions: whose they are, which client speaks and in which revision. Learnt from
 * `initialize` and bounded: forgetting costs a client's name in the record. A session id is a capability that an upstream
 * server cannot tie to a person, since it only sees the gateway; so the gateway does, over restarts where owners are kept.
 */
import type { ImplementationName } from './message.ts';

export interface SessionFacts {
  /** `Caller.userKey` of who opened it */
  readonly userKey: string;
  readonly client?: ImplementationName;
  readonly protocolVersion?: string;
}

/** Owners that outlive the process. */
export interface SessionOwners {
  /** @returns `Caller.userKey` */
  find(server: string, sessionId: string): string | undefined;
  keep(server: string, sessionId: string, userKey: string): void;
  forget(server: string, sessionId: string): void;
}

const DEFAULT_CAPACITY = 20_000;

export class SessionDirectory {
  readonly #facts = new Map<string, SessionFacts>();
  readonly #capacity: number;

  readonly #owners: SessionOwners | undefined;

  /** @param owners omitted: none are kept, and a session that is not known may be anybody's */
  constructor(capacity: number = DEFAULT_CAPACITY, owners?: SessionOwners) {
    this.#capacity = capacity;
    this.#owners = owners;
  }

  /** An upstream server that outlives the gateway has opened a session for this person. */
  opened(server: string, sessionId: string, userKey: string): void {
    this.#owners?.keep(server, sessionId, userKey);
    this.learn(server, sessionId, { userKey });
  }

  /**
   * Whether a session of such a server is somebody else's. Where owners are kept, one that nobody is known to have opened
   * is foreign to everybody.
   */
  isForeign(server: string, sessionId: string, userKey: string): boolean {
    const facts = this.find(server, sessionId);
    if (facts !== undefined) return facts.userKey !== userKey;
    if (this.#owners === undefined) return false;
    const owner = this.#owners.find(server, sessionId);
    if (owner !== undefined) this.learn(server, sessionId, { userKey: owner });
    return owner !== userKey;
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
    this.#owners?.forget(server, sessionId);
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
