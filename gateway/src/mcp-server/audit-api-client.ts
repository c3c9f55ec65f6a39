/**
 * The audit API as the tools see it: GET a path as this caller. Goes through the API's own routes in this process, so
 * what may be seen, what is refused and what is recorded is decided in one place. Knows no store and no roles.
 */
import { InProcessBindings } from '../audit-api/in-process.ts';
import type { ApiErrorBody } from '../audit-api/contract.ts';
import type { ApiCaller } from '../audit-api/visibility.ts';
import type { Caller } from '../mcp/observer.ts';

/** Any Hono app, or a stand-in. */
export interface AuditApi {
  request(path: string, init: RequestInit, env: object): Response | Promise<Response>;
}

/** Query parameters; lists are repeated, what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export class AuditApiProblem extends Error {
  readonly code: string;
  readonly reason: string | undefined;

  constructor(body: ApiErrorBody['error']) {
    const fields = (body.fields ?? []).map(({ field, message }) => `${field}: ${message}`);
    super([body.message, ...fields].join(' '));
    this.name = 'AuditApiProblem';
    this.code = body.code;
    this.reason = body.reason;
  }
}

export interface AuditApiClient {
  /** @throws AuditApiProblem with what to do; its message holds nothing of a payload and nothing that was sent */
  get<T>(path: string, query?: Query): Promise<T>;
}

export interface AuditApiClientOptions {
  readonly api: AuditApi;
  readonly caller: Caller;
  /** an automation token of the audit API; who presents one is seen as that token, and as nobody else */
  readonly auditToken?: string;
  readonly clientAddress: string;
  readonly signal: AbortSignal;
}

export function createAuditApiClient(options: AuditApiClientOptions): AuditApiClient {
  const { api, auditToken, clientAddress, signal } = options;
  const env = new InProcessBindings({
    clientAddress,
    ...(auditToken === undefined ? { caller: viewerOf(options.caller) } : {}),
  });
  const headers: Record<string, string> = auditToken === undefined ? {} : { Authorization: `Bearer ${auditToken}` };
  return {
    async get<T>(path: string, query: Query = {}): Promise<T> {
      const answer = await api.request(`/api/v1${path}${textOf(query)}`, { headers, signal }, env);
      const body: unknown = await answer.json();
      if (!answer.ok) throw new AuditApiProblem((body as ApiErrorBody).error);
      return body as T;
    },
  };
}

/** A caller of the gateway sees what is their own; more takes an audit token. */
function viewerOf(caller: Caller): ApiCaller {
  return {
    kind: 'mcp',
    name: caller.keyName,
    roles: ['viewer'],
    auditorServers: [],
    userKey: caller.userKey,
  };
}

function textOf(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [String(value)]) params.append(name, one);
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
