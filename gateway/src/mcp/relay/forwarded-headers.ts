/**
 * Which headers pass between client and upstream server. Everything passes but what belongs to one connection
 * (RFC 9110 §7.6.1), the client's credentials for the gateway, what only a proxy may say of a caller, and what the gateway
 * sets itself. Answers lose
 * `Set-Cookie`: it would hand the gateway's own session with the upstream to the client, whose cookies never go back;
 * challenges, which ask for credentials that the client does not have; and whatever says that the server is elsewhere.
 */
import type { HeaderList, TraceContextCarrier } from '../observer.ts';

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** How callers prove to the gateway who they are. The upstream gets its own from the configuration. */
const CREDENTIALS = ['authorization', 'cookie', 'x-api-key', 'x-gatelens-audit-token'];
/** Made anew for the other connection; answers must not be compressed, since they are read as they pass. */
/**
 * What a proxy in front of a server vouches for: who calls and from where. Upstream servers take the gateway for theirs, so
 * it hands on no such word of a client. Those that are configured for a server still go.
 */
const VOUCHED =
  /^(?:forwarded|x-forwarded-.+|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|x-remote-.+|remote-user|x-auth-request-.+|x-webauth-.+|x-authenticated-.+|x-original-.+)$/;

const OWN = ['host', 'content-length', 'expect', 'accept-encoding', 'traceparent', 'tracestate'];

/** Where something else is: addresses behind the gateway, or ways past it. */
const ELSEWHERE = ['location', 'content-location', 'refresh', 'alt-svc'];

/** Clients act on it whatever the status: with 403 they ask for more scopes, at an authorization server of the upstream's. */
const CHALLENGE = 'www-authenticate';

const DROPPED_FROM_ANSWERS: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...ELSEWHERE, CHALLENGE, 'set-cookie']);

export interface RequestHeaderRules {
  /** flat list of what is configured for this upstream */
  readonly configured: readonly string[];
  readonly dropped: ReadonlySet<string>;
}

/** @param headers configured for the upstream server; they replace the client's */
export function requestHeaderRules(headers: Readonly<Record<string, string>>): RequestHeaderRules {
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  return {
    configured: Object.entries(headers).flat(),
    dropped: new Set([...HOP_BY_HOP, ...CREDENTIALS, ...OWN, ...names]),
  };
}

/** Header names that `Connection` declares to be for this connection only. */
function nominated(headers: HeaderList): readonly string[] {
  const names: string[] = [];
  for (const [name, value] of headers) {
    if (name.length === 10 && name.toLowerCase() === 'connection') {
      for (const one of value.split(',')) names.push(one.trim().toLowerCase());
    }
  }
  return names;
}

/** @returns name, value, name, value … */
export function headersForUpstream(
  headers: HeaderList,
  rules: RequestHeaderRules,
  trace: TraceContextCarrier | undefined
): string[] {
  const out: string[] = [];
  const perConnection = nominated(headers);
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (rules.dropped.has(lower) || perConnection.includes(lower) || VOUCHED.test(lower)) continue;
    if (lower === 'baggage' && trace?.baggage !== undefined) continue;
    out.push(name, value);
  }
  out.push(...rules.configured);
  if (trace?.traceparent !== undefined) out.push('traceparent', trace.traceparent);
  if (trace?.tracestate !== undefined) out.push('tracestate', trace.tracestate);
  if (trace?.baggage !== undefined) out.push('baggage', trace.baggage);
  return out;
}

export interface AnswerHeaders {
  /** all, as the upstream sent them, for the record */
  readonly received: HeaderList;
  /** flat list of what the client gets */
  readonly passed: string[];
}

/** @param raw name, value, name, value … as bytes */
export function headersForClient(raw: readonly Buffer[]): AnswerHeaders {
  const received: (readonly [string, string])[] = [];
  let name: string | undefined;
  for (const bytes of raw) {
    const text = bytes.toString('latin1');
    if (name === undefined) {
      name = text;
    } else {
      received.push([name, text]);
      name = undefined;
    }
  }
  const perConnection = nominated(received);
  const passed: string[] = [];
  for (const [name, value] of received) {
    const lower = name.toLowerCase();
    if (!DROPPED_FROM_ANSWERS.has(lower) && !perConnection.includes(lower)) passed.push(name, value);
  }
  return { received, passed };
}
