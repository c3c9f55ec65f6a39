/**
 * The attributes of a call's spans: what is known at its start, and what its end adds. Everything that a client or an
 * upstream server wrote passes display-names.ts here, so this file decides what metadata can hold. Absent means the
 * column's default. No payload, no message text, no session id, no e-mail.
 */
import { SpanStatusCode } from '@opentelemetry/api';
import type { CallEnd, CallStart } from '../mcp/observer.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import { RECORD_VERSION } from '../record/fields.ts';
import type { CaptureMode, Outcome } from '../record/vocabulary.ts';
import { nanosOfMs } from './clock.ts';
import {
  displayAddress,
  displayErrorType,
  displayMethod,
  displayProtocolVersion,
  displayRpcId,
  displayServer,
  displayText,
} from './display-names.ts';
import type { TargetType } from './catalog.ts';
import { CALL_ATTR } from './record-attributes.ts';
import * as semconv from './semconv.ts';

export type CallAttributes = Record<string, string | number | boolean | string[]>;

const MAX_TEAMS = 32;
const MAX_TEAM_CHARS = 64;
const MAX_VERSION_CHARS = 64;

export interface StartContext {
  readonly callId: string;
  readonly pseudonyms: Pseudonyms;
  readonly mode: CaptureMode;
  readonly demo: boolean;
  readonly httpTraceLinked: boolean;
}

/** Text attributes are set only when there is something to say: an absent one is the column's `''`. */
function setText(attributes: CallAttributes, key: string, value: string): void {
  if (value !== '') attributes[key] = value;
}

export function startAttributes(start: CallStart, context: StartContext): CallAttributes {
  const { caller } = start;
  const method = displayMethod(start.method, start.kind);
  const fromServer = start.kind === 'server_request';
  const attributes: CallAttributes = {
    [CALL_ATTR.recordVersion]: RECORD_VERSION,
    [CALL_ATTR.kind]: start.kind,
    [CALL_ATTR.phase]: 'closed',
    [CALL_ATTR.callId]: context.callId,
    [CALL_ATTR.server]: displayServer(start.server, start.serverKnown),
    [semconv.ATTR_MCP_METHOD_NAME]: method,
    [CALL_ATTR.upstreamTransport]: start.upstreamTransport,
    [CALL_ATTR.authMethod]: caller.authMethod,
    [CALL_ATTR.requestBytes]: start.requestBytes ?? start.requestBody.byteLength,
    [CALL_ATTR.captureMode]: context.mode,
    // The receiving side: the client's HTTP, but for what the upstream server asks.
    [semconv.ATTR_NETWORK_TRANSPORT]:
      fromServer && start.upstreamTransport === 'stdio'
        ? semconv.NETWORK_TRANSPORT_PIPE
        : semconv.NETWORK_TRANSPORT_TCP,
  };
  if (!fromServer || start.upstreamTransport !== 'stdio') attributes[semconv.ATTR_NETWORK_PROTOCOL_NAME] = 'http';
  setText(attributes, CALL_ATTR.parentCallId, start.parentCallId ?? '');
  setText(attributes, semconv.ATTR_USER_HASH, caller.userKey);
  setText(attributes, CALL_ATTR.keyName, displayText(caller.keyName));
  if (caller.teams.length > 0) {
    attributes[CALL_ATTR.teams] = caller.teams.slice(0, MAX_TEAMS).map((team) => displayText(team, MAX_TEAM_CHARS));
  }
  setText(attributes, semconv.ATTR_CLIENT_ADDRESS, displayAddress(start.clientAddress));
  setText(attributes, semconv.ATTR_JSONRPC_REQUEST_ID, displayRpcId(start.rpcId, context.pseudonyms));
  setClient(attributes, start.client);
  setSession(attributes, start.session, context.pseudonyms);
  setText(attributes, semconv.ATTR_MCP_PROTOCOL_VERSION, displayProtocolVersion(start.protocolVersion));
  if (method === 'tools/call') attributes[semconv.ATTR_GEN_AI_OPERATION_NAME] = semconv.GEN_AI_OPERATION_EXECUTE_TOOL;
  setText(attributes, CALL_ATTR.policyRule, displayText(start.policyRule ?? ''));
  if (start.leftOut !== undefined) setLeftOut(attributes, start.leftOut);
  if (context.demo) attributes[CALL_ATTR.demo] = true;
  if (context.httpTraceLinked) attributes[CALL_ATTR.httpTraceLinked] = true;
  return attributes;
}

function setLeftOut(attributes: CallAttributes, leftOut: NonNullable<CallStart['leftOut']>): void {
  attributes[CALL_ATTR.leftOutAttempts] = leftOut.attempts;
  attributes[CALL_ATTR.leftOutSources] = leftOut.sources;
  attributes[CALL_ATTR.leftOutSorts] = JSON.stringify(leftOut.bySort);
}

function setClient(attributes: CallAttributes, client: CallStart['client']): void {
  if (client === undefined) return;
  setText(attributes, CALL_ATTR.clientName, displayText(client.name));
  setText(attributes, CALL_ATTR.clientVersion, displayText(client.version, MAX_VERSION_CHARS));
}

function setSession(attributes: CallAttributes, session: CallStart['session'], pseudonyms: Pseudonyms): void {
  if (session === undefined || session.kind === 'none' || session.id === '') return;
  attributes[CALL_ATTR.sessionKey] = pseudonyms.hash('session', session.id);
  attributes[CALL_ATTR.sessionKind] = session.kind;
}

const TARGET_ATTRIBUTE: Record<TargetType, string> = {
  tool: semconv.ATTR_GEN_AI_TOOL_NAME,
  prompt: semconv.ATTR_GEN_AI_PROMPT_NAME,
  resource: semconv.ATTR_MCP_RESOURCE_URI,
};

/** @param name masked already */
export function setTarget(attributes: CallAttributes, type: TargetType, name: string): void {
  setText(attributes, TARGET_ATTRIBUTE[type], name);
}

/** `{method} {target}`; resource URIs are no part of a span name (too many). */
export function spanName(method: string, type: TargetType | undefined, name: string): string {
  return type === undefined || type === 'resource' || name === '' ? method : `${method} ${name}`;
}

/** What the end of a call adds, besides payload, target and tokens. */
export function addEnd(
  attributes: CallAttributes,
  end: CallEnd,
  upstreamAttempts: number,
  pseudonyms: Pseudonyms
): void {
  attributes[CALL_ATTR.outcome] = end.outcome;
  // A request that was refused before it went upstream is an attempt, whoever opened its record.
  if (attributes[CALL_ATTR.kind] === 'request' && end.outcome === 'denied' && upstreamAttempts === 0) {
    attributes[CALL_ATTR.kind] = 'attempt';
  }
  setText(attributes, semconv.ATTR_ERROR_TYPE, displayErrorType(end.errorType));
  const code = end.rpcErrorCode;
  if (code !== undefined && Number.isInteger(code) && code >= -0x80000000 && code <= 0x7fffffff) {
    attributes[semconv.ATTR_RPC_RESPONSE_STATUS_CODE] = code.toString();
  }
  if (isCount(end.httpStatus, 999)) attributes[semconv.ATTR_HTTP_RESPONSE_STATUS_CODE] = end.httpStatus;
  if (end.response !== undefined) attributes[CALL_ATTR.responseBytes] = end.response.bytes;
  if (upstreamAttempts > 0) attributes[CALL_ATTR.upstreamAttempts] = Math.min(upstreamAttempts, 255);
  if (end.upstreamMs !== undefined) attributes[CALL_ATTR.upstreamDuration] = nanosOfMs(end.upstreamMs);
  if (end.ttfbMs !== undefined) attributes[CALL_ATTR.ttfb] = nanosOfMs(end.ttfbMs);
  setClient(attributes, end.client);
  setSession(attributes, end.session, pseudonyms);
  setText(attributes, semconv.ATTR_MCP_PROTOCOL_VERSION, displayProtocolVersion(end.protocolVersion));
  setText(attributes, CALL_ATTR.policyRule, displayText(end.policyRule ?? ''));
  setText(attributes, CALL_ATTR.deniedBy, end.deniedBy ?? '');
}

function isCount(value: number | undefined, max: number): value is number {
  return value !== undefined && Number.isInteger(value) && value > 0 && value <= max;
}

const ERROR_STATUS = { code: SpanStatusCode.ERROR } as const;

/** Status without a text: texts of upstream servers may hold payload. Denied and cancelled calls are no errors. */
export function spanStatus(
  outcome: Outcome,
  rpcErrorCode: number | undefined,
  side: 'server' | 'client'
): { readonly code: SpanStatusCode } | undefined {
  switch (outcome) {
    case 'success':
    case 'denied':
    case 'cancelled':
      return undefined;
    case 'rpc_error':
      return side === 'server' && rpcErrorCode !== undefined && semconv.CALLER_FAULT_RPC_CODES.has(rpcErrorCode)
        ? undefined
        : ERROR_STATUS;
    default:
      return ERROR_STATUS;
  }
}

const SHARED_WITH_CLIENT_SPAN: readonly string[] = [
  semconv.ATTR_MCP_METHOD_NAME,
  semconv.ATTR_MCP_PROTOCOL_VERSION,
  semconv.ATTR_GEN_AI_TOOL_NAME,
  semconv.ATTR_GEN_AI_PROMPT_NAME,
  semconv.ATTR_MCP_RESOURCE_URI,
  semconv.ATTR_GEN_AI_OPERATION_NAME,
  semconv.ATTR_JSONRPC_REQUEST_ID,
  semconv.ATTR_ERROR_TYPE,
  semconv.ATTR_RPC_RESPONSE_STATUS_CODE,
  CALL_ATTR.server,
];

/** Attributes of the CLIENT span. It has no `gatelens.kind`: it is no record. */
export function clientSpanAttributes(server: CallAttributes, start: CallStart): CallAttributes {
  const attributes: CallAttributes = {};
  for (const key of SHARED_WITH_CLIENT_SPAN) {
    const value = server[key];
    if (value !== undefined) attributes[key] = value;
  }
  const isPipe = start.kind !== 'server_request' && start.upstreamTransport === 'stdio';
  attributes[semconv.ATTR_NETWORK_TRANSPORT] = isPipe ? semconv.NETWORK_TRANSPORT_PIPE : semconv.NETWORK_TRANSPORT_TCP;
  if (!isPipe) attributes[semconv.ATTR_NETWORK_PROTOCOL_NAME] = 'http';
  if (start.upstreamAddress !== undefined) {
    attributes[semconv.ATTR_SERVER_ADDRESS] = start.upstreamAddress.host;
    attributes[semconv.ATTR_SERVER_PORT] = start.upstreamAddress.port;
  }
  return attributes;
}

const ON_METRICS: readonly string[] = [
  semconv.ATTR_MCP_METHOD_NAME,
  semconv.ATTR_MCP_PROTOCOL_VERSION,
  semconv.ATTR_GEN_AI_TOOL_NAME,
  semconv.ATTR_GEN_AI_PROMPT_NAME,
  semconv.ATTR_GEN_AI_OPERATION_NAME,
  semconv.ATTR_RPC_RESPONSE_STATUS_CODE,
  semconv.ATTR_NETWORK_TRANSPORT,
  semconv.ATTR_NETWORK_PROTOCOL_NAME,
  semconv.ATTR_SERVER_ADDRESS,
  semconv.ATTR_SERVER_PORT,
  CALL_ATTR.server,
  CALL_ATTR.outcome,
];

/** The bounded names only; `error.type` only where the span is an error. */
export function metricAttributes(span: CallAttributes, isError: boolean): Record<string, string | number> {
  const attributes = picked(span, ON_METRICS);
  const errorType = span[semconv.ATTR_ERROR_TYPE];
  if (isError && typeof errorType === 'string') attributes[semconv.ATTR_ERROR_TYPE] = errorType;
  return attributes;
}

const ON_SESSION_METRICS: readonly string[] = [
  semconv.ATTR_MCP_PROTOCOL_VERSION,
  semconv.ATTR_NETWORK_TRANSPORT,
  semconv.ATTR_NETWORK_PROTOCOL_NAME,
  semconv.ATTR_SERVER_ADDRESS,
  semconv.ATTR_SERVER_PORT,
  CALL_ATTR.server,
];

export function sessionAttributes(span: CallAttributes): Record<string, string | number> {
  return picked(span, ON_SESSION_METRICS);
}

function picked(span: CallAttributes, keys: readonly string[]): Record<string, string | number> {
  const attributes: Record<string, string | number> = {};
  for (const key of keys) {
    const value = span[key];
    if (typeof value === 'string' || typeof value === 'number') attributes[key] = value;
  }
  return attributes;
}
