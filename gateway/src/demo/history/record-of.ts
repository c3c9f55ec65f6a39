/**
 * A planned call as the relay would tell it to the observer: who, what, headers and bodies of both directions, how it
 * ended. The texts are made up word by word; hosts and addresses are of the ranges kept for documentation.
 */
import { principalOfKey } from '../../access/identity.ts';
import type { AuthenticatedCaller } from '../../access/principal.ts';
import type { CallEnd, CallStart, HeaderList } from '../../mcp/observer.ts';
import type { Pseudonyms } from '../../protection/seams.ts';
import type { Person } from '../people.ts';
import type { PlannedCall } from './plan-day.ts';
import { createRandom, type Random } from './random.ts';
import type { HistoryServer, Operation } from './world.ts';

export interface MadeRecord {
  readonly start: CallStart;
  readonly end: CallEnd;
}

const PROTOCOL_VERSION = '2025-11-25';
const ALLOWING_RULE = 'everybody';
const DENYING_RULE = 'contractors-read-only';
const JSON_HEADERS: HeaderList = [['content-type', 'application/json']];

const FAILURES: Partial<
  Record<CallEnd['outcome'], { readonly errorType: string; readonly code?: number; readonly status: number }>
> = {
  tool_error: { errorType: 'tool_error', status: 200 },
  rpc_error: { errorType: '-32603', code: -32603, status: 200 },
  denied: { errorType: 'policy_denied', code: -32001, status: 200 },
  timeout: { errorType: 'upstream_timeout', code: -32002, status: 504 },
  upstream_unreachable: { errorType: 'upstream_unreachable', code: -32002, status: 502 },
  cancelled: { errorType: 'client_gone', status: 0 },
};

export function callerOf({ key, user, teams }: Person, pseudonyms: Pseudonyms): AuthenticatedCaller {
  const principal = principalOfKey(key, user);
  return { userKey: pseudonyms.hash('user', principal.subject), keyName: key, teams, authMethod: 'api_key', principal };
}

export function recordOf(call: PlannedCall, caller: AuthenticatedCaller): MadeRecord {
  const random = createRandom(call.bodySeed);
  const { server } = call;
  const target = targetOf(call, random);
  const isAttempt = call.kind === 'attempt';
  const start: CallStart = {
    kind: call.kind,
    server: server.name,
    serverKnown: true,
    caller,
    method: call.method,
    session: { id: call.sessionId, kind: 'mcp' },
    client: call.person.client,
    clientAddress: call.address,
    protocolVersion: PROTOCOL_VERSION,
    upstreamTransport: isAttempt ? 'none' : server.transport,
    requestHeaders: [
      ...JSON_HEADERS,
      ['accept', 'application/json, text/event-stream'],
      ['user-agent', `${call.person.client.name}/${call.person.client.version}`],
      ['mcp-session-id', call.sessionId],
    ],
    requestBody: json({ jsonrpc: '2.0', ...idOf(call), method: call.method, params: paramsOf(call, target, random) }),
    ...(target === undefined ? {} : { target }),
    ...(call.rpcId === undefined ? {} : { rpcId: String(call.rpcId) }),
    ...(server.transport === 'http' && !isAttempt ? { upstreamAddress: { host: server.host, port: 443 } } : {}),
    ...(isAttempt ? {} : { policyRule: ALLOWING_RULE }),
  };
  return { start, end: endOf(call, random) };
}

function endOf(call: PlannedCall, random: Random): CallEnd {
  const { outcome, durationMs, server } = call;
  const failure = FAILURES[outcome];
  const common: CallEnd = {
    outcome,
    ...(failure === undefined ? {} : { errorType: failure.errorType }),
    ...(failure?.code === undefined ? {} : { rpcErrorCode: failure.code }),
    ...(outcome === 'denied' ? { deniedBy: 'policy', policyRule: DENYING_RULE } : {}),
    ...(call.kind === 'attempt' ? {} : { upstreamMs: Math.max(0, durationMs - 0.5) }),
  };
  if (call.kind === 'notification') return { ...common, httpStatus: 202 };
  if (outcome === 'cancelled') return common;
  const chunk = json({ jsonrpc: '2.0', ...idOf(call), ...answerOf(call, random) });
  return {
    ...common,
    httpStatus: failure?.status ?? 200,
    responseHeaders: JSON_HEADERS,
    response: { chunks: [chunk], bytes: chunk.byteLength, format: 'json' },
    ...(failure === undefined ? { ttfbMs: durationMs * 0.8 } : {}),
    ...(call.method === 'tools/list' && outcome === 'success'
      ? { listed: { type: 'tool', names: toolsOf(server).map(({ name }) => name) } }
      : {}),
  };
}

function targetOf({ operation }: PlannedCall, random: Random): CallStart['target'] {
  if (operation === undefined) return undefined;
  const { method, name } = operation;
  if (method === 'resources/read') return { type: 'resource', name: `${name}chapter-${random.between(1, 24)}` };
  return { type: method === 'prompts/get' ? 'prompt' : 'tool', name };
}

function paramsOf(call: PlannedCall, target: CallStart['target'], random: Random): object {
  if (target === undefined) {
    return call.method === 'initialize'
      ? { protocolVersion: PROTOCOL_VERSION, capabilities: {}, clientInfo: call.person.client }
      : {};
  }
  if (target.type === 'resource') return { uri: target.name };
  return { name: target.name, arguments: { query: wordsOf(random, 60), limit: random.between(5, 50) } };
}

function answerOf(call: PlannedCall, random: Random): object {
  const { outcome, operation, answerBytes } = call;
  const failure = FAILURES[outcome];
  if (failure?.code !== undefined) return { error: { code: failure.code, message: `Made up: ${failure.errorType}` } };
  if (outcome === 'tool_error') {
    return { result: { content: [{ type: 'text', text: `Error: ${wordsOf(random, 80)}` }], isError: true } };
  }
  if (call.method === 'initialize') {
    const serverInfo = { name: call.server.name, version: '1.4.0' };
    return { result: { protocolVersion: PROTOCOL_VERSION, capabilities: { tools: {} }, serverInfo } };
  }
  if (operation === undefined) {
    const tools = toolsOf(call.server).map(({ name }) => ({ name, inputSchema: { type: 'object' } }));
    return { result: { tools } };
  }
  const text = wordsOf(random, answerBytes);
  if (operation.method === 'resources/read') return { result: { contents: [{ uri: operation.name, text }] } };
  if (operation.method === 'prompts/get') {
    return { result: { messages: [{ role: 'user', content: { type: 'text', text } }] } };
  }
  return { result: { content: [{ type: 'text', text }] } };
}

function toolsOf(server: HistoryServer): readonly Operation[] {
  return server.operations.filter(({ method }) => method === 'tools/call');
}

function idOf({ rpcId }: PlannedCall): { id?: number } {
  return rpcId === undefined ? {} : { id: rpcId };
}

const WORDS =
  'order invoice customer report quarter budget region ticket printer login password-reset laptop handbook policy travel expense approval review release branch merge table column row total average open closed waiting urgent north south east west Acme Globex Initech Umbrella'.split(
    ' '
  );

function wordsOf(random: Random, bytes: number): string {
  const words: string[] = [];
  for (let length = 0; length < bytes;) {
    const word = random.pick(WORDS);
    words.push(word);
    length += word.length + 1;
  }
  return words.join(' ').slice(0, bytes);
}

function json(message: object): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}
