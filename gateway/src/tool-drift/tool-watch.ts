/**
 * Notices when an upstream server offers other tools than before. Servers may show different tools to different clients,
 * so a list is compared with what the same client was shown last, and a list that some other client is shown now is no
 * change. Knows keyed hashes only. Bounded in everything that a server or a client can make grow.
 */
import type { ToolChange } from '../record/tool-changes.ts';
import type { ToolListPage } from './tool-list.ts';
import {
  byName,
  differenceOf,
  fingerprintOf,
  hashedTool,
  type HashedTool,
  type HashedTools,
  type KeyedHash,
} from './tool-set.ts';

const MAX_CLIENTS = 32;
const MAX_HISTORY = 100;
const MAX_PENDING = 50;
const MAX_TOOLS = 2000;
const HOUR_MS = 3_600_000;
/** A server that shows something else each time is recorded so often, no more. */
const CHANGES_AN_HOUR = 12;

export interface SeenPage {
  readonly server: string;
  /** of the call that asked */
  readonly callId: string;
  /** who asks for the pages of one list: session and caller */
  readonly reader: string;
  readonly cursor?: string;
  readonly page: ToolListPage;
  readonly client: { readonly name: string; readonly version: string };
  readonly protocolVersion: string;
}

/** What one kind of client was shown last. */
export interface ShownList {
  readonly fingerprint: string;
  readonly tools: HashedTools;
  readonly calls: readonly string[];
  readonly shownAtMs: number;
}

export interface WatchedServer {
  /** by client name and protocol revision */
  readonly shown: Map<string, ShownList>;
  /** every fingerprint seen, oldest first */
  readonly history: Set<string>;
}

interface PendingList {
  readonly tools: readonly HashedTool[];
  readonly calls: readonly string[];
  readonly nextCursor: string;
}

export class ToolWatch {
  readonly servers: Map<string, WatchedServer>;
  readonly #hash: KeyedHash;
  readonly #nowMs: () => number;
  readonly #pending = new Map<string, PendingList>();
  readonly #recent = new Map<string, number[]>();
  readonly #undo = new WeakMap<ToolChange, () => void>();

  /** @param servers what was known at the last start; it is kept up to date */
  constructor(options: {
    readonly servers?: Map<string, WatchedServer>;
    readonly hash: KeyedHash;
    readonly nowMs: () => number;
  }) {
    this.servers = options.servers ?? new Map<string, WatchedServer>();
    this.#hash = options.hash;
    this.#nowMs = options.nowMs;
  }

  /** @returns a change, once the list is whole and differs; it counts as known from now on */
  observe(seen: SeenPage): ToolChange | undefined {
    const whole = this.#assembled(seen);
    return whole === undefined ? undefined : this.#compare(seen, whole);
  }

  /** The change could not be recorded: it is one again when the list is seen next. */
  forget(change: ToolChange): void {
    this.#undo.get(change)?.();
    this.#recent.delete(change.server);
  }

  /** Lists may come in pages; each continues with the cursor of the one before. */
  #assembled(seen: SeenPage): Pick<PendingList, 'tools' | 'calls'> | undefined {
    const key = `${seen.server}\0${seen.reader}`;
    const before = this.#pending.get(key);
    this.#pending.delete(key);
    if (seen.cursor !== undefined && before?.nextCursor !== seen.cursor) return undefined;
    const page = seen.page.tools.map((tool) => hashedTool(tool, this.#hash));
    const tools = seen.cursor === undefined ? page : [...(before?.tools ?? []), ...page];
    const calls = seen.cursor === undefined ? [seen.callId] : [...(before?.calls ?? []), seen.callId];
    if (tools.length > MAX_TOOLS) return undefined;
    const { nextCursor } = seen.page;
    if (nextCursor === undefined) return { tools, calls };
    this.#pending.set(key, { tools, calls, nextCursor });
    dropOldest(this.#pending, MAX_PENDING);
    return undefined;
  }

  #compare(seen: SeenPage, { tools, calls }: Pick<PendingList, 'tools' | 'calls'>): ToolChange | undefined {
    const server = this.servers.get(seen.server) ?? { shown: new Map<string, ShownList>(), history: new Set<string>() };
    const key = `${seen.client.name}\0${seen.protocolVersion}`;
    const hashed = byName(tools);
    const fingerprint = fingerprintOf(hashed, this.#hash);
    const own = server.shown.get(key);
    const before = own ?? latest(server.shown);
    const isKnown = [...server.shown.values()].some((list) => list.fingerprint === fingerprint);
    const nowMs = this.#nowMs();
    const isChange = before?.fingerprint !== fingerprint && !(isKnown && own === undefined);
    if (isChange && !this.#mayTell(seen.server, nowMs)) return undefined;
    this.servers.set(seen.server, server);
    server.shown.delete(key);
    server.shown.set(key, { fingerprint, tools: hashed, calls, shownAtMs: nowMs });
    dropOldest(server.shown, MAX_CLIENTS);
    const wasSeen = server.history.has(fingerprint);
    server.history.delete(fingerprint);
    server.history.add(fingerprint);
    if (server.history.size > MAX_HISTORY) {
      const [oldest] = server.history;
      if (oldest !== undefined) server.history.delete(oldest);
    }
    if (!isChange) return undefined;
    const change: ToolChange = {
      server: seen.server,
      change: before === undefined ? 'first_seen' : wasSeen ? 'reverted' : 'changed',
      fingerprint,
      previousFingerprint: before?.fingerprint ?? '',
      tools: hashed.size,
      ...(before === undefined ? { added: [], removed: [], changed: new Map() } : differenceOf(before.tools, hashed)),
      client: seen.client,
      protocolVersion: seen.protocolVersion,
      seenInCalls: calls,
      previousCalls: before?.calls ?? [],
    };
    this.#undo.set(change, () => {
      if (own === undefined) server.shown.delete(key);
      else server.shown.set(key, own);
      if (!wasSeen) server.history.delete(fingerprint);
      if (server.shown.size === 0) this.servers.delete(seen.server);
    });
    return change;
  }

  #mayTell(server: string, nowMs: number): boolean {
    const recent = (this.#recent.get(server) ?? []).filter((atMs) => nowMs - atMs < HOUR_MS);
    const may = recent.length < CHANGES_AN_HOUR;
    if (may) recent.push(nowMs);
    this.#recent.set(server, recent);
    return may;
  }
}

function latest(shown: ReadonlyMap<string, ShownList>): ShownList | undefined {
  let newest: ShownList | undefined;
  for (const list of shown.values()) if (newest === undefined || list.shownAtMs >= newest.shownAtMs) newest = list;
  return newest;
}

function dropOldest(map: Map<string, unknown>, size: number): void {
  if (map.size <= size) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
