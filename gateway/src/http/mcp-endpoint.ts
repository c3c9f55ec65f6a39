/**
 * The door of `/mcp/<server>`: decides whether a request may go on, in this order: head, caller, server, rate, session,
 * media type, size, JSON-RPC, policy; then hands it to the upstream. Whatever is refused is recorded before it is
 * answered, or only counted when one source is refused too often. It never looks into arguments and never lets through
 * what two parsers could read differently.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AttemptDecision } from '../access/attempt-limit.ts';
import type { PolicyDecision } from '../access/policy.ts';
import type { Authentication } from '../access/authenticator.ts';
import type { AuthenticatedCaller } from '../access/principal.ts';
import type { ErrorCode } from '../errors.ts';
import type { LegacyRole, McpHttpMethod, Upstream } from '../mcp/exchange.ts';
import { isEndless } from '../mcp/endless.ts';
import { idKey } from '../mcp/scan/message-builder.ts';
import type { ReceivedMessage } from '../mcp/message.ts';
import { NodeExchange } from '../mcp/node-exchange.ts';
import type { Revocation } from '../mcp/revocable-observation.ts';
import type { ConnectionNames } from '../mcp/sessions.ts';
import type { McpAppDeps } from './deps.ts';
import { BodyBudget, type BodyLease } from './body-budget.ts';
import { legacyProblem, legacySessionId } from './legacy-route.ts';
import { headersAgree } from './header-agreement.ts';
import { readBody } from './read-body.ts';
import { NOBODY, recordAbandoned, refuse, refuseUnrecorded } from './refusal.ts';
import type { Attempt, Refusal } from './refusal.ts';
import { BODY_REFUSALS, HEAD_REFUSALS, REFUSALS } from './refusals.ts';
import { RequestGuard } from './request-guard.ts';
import { mediaTypeProblem } from './media-type.ts';

const NO_BYTES = Buffer.alloc(0);
const DEFAULT_BODY_BYTES = 16 * 1024 * 1024;
const DEFAULT_BUFFERED_BODY_BYTES = 256 * 1024 * 1024;

export class McpEndpoint {
  readonly #deps: McpAppDeps;
  readonly #guard: RequestGuard;
  readonly #connections: ConnectionNames;
  readonly #bodyBytes: number;
  readonly #budget: BodyBudget;

  constructor(deps: McpAppDeps, connections: ConnectionNames) {
    this.#deps = deps;
    this.#guard = new RequestGuard(deps.guard);
    this.#connections = connections;
    this.#bodyBytes = deps.bodyBytes ?? DEFAULT_BODY_BYTES;
    this.#budget = new BodyBudget(deps.bufferedBodyBytes ?? DEFAULT_BUFFERED_BODY_BYTES, this.#bodyBytes);
  }

  /** Answers the request on `res`. Rejects only for bugs. @param legacy with a client of the older HTTP+SSE transport */
  async handle(server: string, req: IncomingMessage, res: ServerResponse, legacy?: LegacyRole): Promise<void> {
    const arrivedAt = performance.now();
    const head = this.#guard.check(req);
    const upstream = this.#deps.upstreams.get(server);
    const sessionId = legacy === undefined ? req.headers['mcp-session-id'] : legacySessionId(req);
    const session = {
      id: typeof sessionId === 'string' && sessionId !== '' ? sessionId : this.#connections.of(req.socket),
      kind: typeof sessionId === 'string' && sessionId !== '' ? ('mcp' as const) : ('connection' as const),
    };
    const attempt: Attempt = {
      req,
      res,
      headers: head.headers,
      arrivedAt,
      clientAddress: req.socket.remoteAddress ?? '',
      server,
      serverKnown: upstream !== undefined,
      caller: NOBODY,
      session,
    };
    if (head.refusal !== undefined) return this.#refuse(attempt, HEAD_REFUSALS[head.refusal]);

    const authenticating = this.#authenticate(req, server);
    const verdict = authenticating instanceof Promise ? await authenticating : authenticating;
    if (!verdict.ok) {
      return this.#refuse(attempt, {
        ...REFUSALS[verdict.code],
        headers: { 'WWW-Authenticate': verdict.wwwAuthenticate },
      });
    }
    attempt.caller = verdict.caller;
    if (upstream === undefined) return this.#refuse(attempt, REFUSALS.serverUnknown);
    if (this.#deps.closing?.() === true) return this.#refuse(attempt, REFUSALS.closing);
    const method = httpMethodOf(req);
    if (method === undefined) return this.#refuse(attempt, REFUSALS.method);
    const limited = this.#overRate(verdict.caller, server);
    if (limited !== undefined) return this.#refuse(attempt, limited);
    const kind = legacy === undefined ? upstream.kind : ((await upstream.kindFor?.(legacy)) ?? upstream.kind);
    const wrong = legacy === undefined ? undefined : legacyProblem(legacy, method, kind, session.kind);
    if (wrong !== undefined) return this.#refuse(attempt, wrong);
    attempt.legacy = legacy;
    if (session.kind === 'mcp') {
      const { sessions } = this.#deps;
      const { userKey } = verdict.caller;
      // sessions of bridges end with the gateway, and those know which there are
      const foreign =
        kind === 'http'
          ? sessions.isForeign(server, session.id, userKey)
          : (sessions.find(server, session.id)?.userKey ?? userKey) !== userKey;
      if (foreign) return this.#refuse(attempt, REFUSALS.sessionForeign);
    }
    if (method !== 'POST') {
      const operation = method === 'GET' ? 'stream' : 'session/delete';
      const decision = this.#deps.policy.decide({ caller: verdict.caller, server, method: operation });
      if (!decision.allow) return this.#refuse(attempt, { ...denialBy(decision), code: 'forbidden' });
      // a body has no meaning here and does not go on
      req.resume();
      return this.#hand(upstream, attempt, method, verdict.caller, [decision.rule]);
    }

    const problem = mediaTypeProblem(req);
    if (problem !== undefined) return this.#refuse(attempt, problem);
    const lease = this.#budget.lease(verdict.caller.userKey);
    try {
      await this.#post(upstream, attempt, verdict.caller, lease);
    } finally {
      lease.release();
    }
  }

  async #post(upstream: Upstream, attempt: Attempt, caller: AuthenticatedCaller, lease: BodyLease): Promise<void> {
    const { req, server } = attempt;
    const read = await readBody(req, this.#bodyBytes, lease);
    attempt.body = read.bytes;
    if (!read.ok) {
      attempt.bodyBytes = read.size;
      if (read.problem === 'aborted') {
        const recorded = this.#limited(attempt, 'client_gone').record;
        return recorded ? recordAbandoned(this.#deps.observer, attempt) : undefined;
      }
      return this.#refuse(attempt, BODY_REFUSALS[read.problem]);
    }
    attempt.batch = read.batch;
    attempt.messages = read.messages;
    const unreadable = this.#unreadable(req, read.messages);
    if (unreadable !== undefined) return this.#refuse(attempt, unreadable);
    const decisions = this.#decisions(caller, server, read.messages);
    const denied = decisions.find((decision) => !decision.allow);
    if (denied !== undefined) {
      const denial = denialBy(denied);
      // without a request there is no JSON-RPC answer that could carry it
      const answerable = read.messages.some((one) => one.kind === 'request');
      return this.#refuse(attempt, answerable ? denial : { ...denial, code: 'forbidden' });
    }
    const rules = decisions.map((decision) => decision.rule);
    return this.#hand(upstream, attempt, 'POST', caller, rules);
  }

  #hand(
    upstream: Upstream,
    attempt: Attempt,
    httpMethod: McpHttpMethod,
    caller: AuthenticatedCaller,
    policyRules: readonly string[]
  ): Promise<void> {
    const exchange = new NodeExchange({
      httpMethod,
      legacy: attempt.legacy,
      server: attempt.server,
      caller,
      req: attempt.req,
      res: attempt.res,
      headers: attempt.headers,
      body: attempt.body ?? NO_BYTES,
      batch: attempt.batch ?? false,
      messages: attempt.messages ?? [],
      policyRules,
      // an event stream of the older transport is a session of its own, whatever the client knew before
      session:
        attempt.legacy === 'stream' ? { id: randomUUID(), kind: 'mcp' } : (attempt.session ?? { id: '', kind: 'none' }),
      clientAddress: attempt.clientAddress,
      arrivedAt: attempt.arrivedAt,
      observer: this.#deps.observer,
      sessions: this.#deps.sessions,
    });
    const { streams } = this.#deps;
    if (streams === undefined || !isEndless(exchange)) return upstream.handle(exchange);
    const over = streams.add({ judge: () => this.#revocationOf(attempt), end: (why) => exchange.revoke(why) });
    return upstream.handle(exchange).finally(over);
  }

  /** What would refuse the request now. */
  async #revocationOf(attempt: Attempt): Promise<Revocation | undefined> {
    const { req, server, caller, messages } = attempt;
    const verdict = await this.#authenticate(req, server);
    if (!verdict.ok) return { errorType: verdict.code, deniedBy: 'authentication' };
    if (verdict.caller.userKey !== caller.userKey) return { errorType: 'unauthenticated', deniedBy: 'authentication' };
    const decisions =
      messages === undefined
        ? [this.#deps.policy.decide({ caller: verdict.caller, server, method: 'stream' })]
        : this.#decisions(verdict.caller, server, messages);
    const denied = decisions.find((decision) => !decision.allow);
    return denied && { errorType: 'policy_denied', deniedBy: 'policy', policyRule: denied.rule };
  }

  #authenticate(req: IncomingMessage, server: string): Authentication | Promise<Authentication> {
    return this.#deps.authenticator.authenticate({
      headers: req.headers,
      remoteAddress: req.socket.remoteAddress,
      resourcePath: `/mcp/${encodeURIComponent(server)}`,
    });
  }

  #refuse(attempt: Attempt, refusal: Refusal): Promise<void> {
    const decision = this.#limited(attempt, refusal.code);
    if (decision.record) return refuse(this.#deps.observer, attempt, refusal);
    const { retryAfterMs } = decision;
    // who is known gets the true answer: their program has to show them what is wrong
    const flooding = attempt.caller === NOBODY && retryAfterMs !== undefined;
    refuseUnrecorded(attempt, flooding ? tooManyRequests(retryAfterMs) : refusal);
    return Promise.resolve();
  }

  #limited({ caller, clientAddress, messages }: Attempt, sort: ErrorCode): AttemptDecision {
    const { attempts } = this.#deps;
    if (attempts === undefined) return { record: true };
    if (caller === NOBODY) return attempts.ofStranger(clientAddress, sort);
    return attempts.ofCaller(caller, clientAddress, sort, Math.max(1, messages?.length ?? 0));
  }

  #overRate(caller: AuthenticatedCaller, server: string): Refusal | undefined {
    const decision = this.#deps.rateLimiter?.take(caller, server);
    if (decision === undefined || decision.ok) return undefined;
    return tooManyRequests(decision.retryAfterMs);
  }

  #unreadable(req: IncomingMessage, messages: readonly ReceivedMessage[]): Refusal | undefined {
    if (messages.length === 0) return REFUSALS.notRpc;
    const ids = new Set<string>();
    for (const message of messages) {
      if (message.ambiguous.length > 0) {
        return {
          ...REFUSALS.ambiguous,
          message: `${REFUSALS.ambiguous.message} Member: ${message.ambiguous[0] ?? ''}.`,
        };
      }
      if (message.kind === 'invalid') return REFUSALS.notRpc;
      // without a name that is a text, policy and upstream could disagree on which tool it is
      if (message.method === 'tools/call' && message.name === undefined) return REFUSALS.toolNameMissing;
      if (messages.length === 1 || message.kind !== 'request' || message.id === undefined) continue;
      const key = idKey(message.id);
      if (ids.has(key)) return REFUSALS.idRepeated;
      ids.add(key);
    }
    return headersAgree(req, messages) ? undefined : REFUSALS.headerMismatch;
  }

  /** One for each message; one denied message refuses the whole body. */
  #decisions(
    caller: AuthenticatedCaller,
    server: string,
    messages: readonly ReceivedMessage[]
  ): readonly PolicyDecision[] {
    return messages.map(({ method, name }) =>
      this.#deps.policy.decide({
        caller,
        server,
        // an answer to a server's question belongs to the session like its streams
        method: method ?? 'stream',
        ...(method === 'tools/call' && name !== undefined ? { tool: name } : {}),
      })
    );
  }
}

function tooManyRequests(retryAfterMs: number): Refusal {
  return {
    code: 'rate_limited',
    message: 'Too many requests. Wait as Retry-After says.',
    deniedBy: 'rate_limit',
    headers: { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  };
}

function denialBy({ rule }: PolicyDecision): Refusal {
  const why = rule === '' ? 'No policy rule allows it.' : `Policy rule ${JSON.stringify(rule)} decided so.`;
  return {
    code: 'policy_denied',
    message: `The gateway denied this call. ${why} Ask who runs the gateway for access.`,
    deniedBy: 'policy',
    policyRule: rule,
  };
}

function httpMethodOf(req: IncomingMessage): McpHttpMethod | undefined {
  const { method } = req;
  return method === 'POST' || method === 'GET' || method === 'DELETE' ? method : undefined;
}
