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
import type { AttributeRow } from './attribute-row.ts';
import { CALL_AT, CALL_NAMES } from './call-row.ts';
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
import type { MetricAttributes } from './metrics.ts';
import * as semconv from './semconv.ts';

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
function setText(row: AttributeRow, at: number, value: string): void {
  if (value !== '') row.values[at] = value;
}

export function startAttributes(start: CallStart, context: StartContext): AttributeRow {
  const { caller } = start;
  const method = displayMethod(start.method, start.kind);
  // The receiving side: the client's HTTP, but for what the upstream server asks.
  const isPipe = start.kind === 'server_request' && start.upstreamTransport === 'stdio';
  const row = CALL_NAMES.row();
  const { values } = row;
  values[CALL_AT.recordVersion] = RECORD_VERSION;
  values[CALL_AT.kind] = start.kind;
  values[CALL_AT.phase] = 'closed';
  values[CALL_AT.callId] = context.callId;
  values[CALL_AT.server] = displayServer(start.server, start.serverKnown);
  values[CALL_AT.method] = method;
  values[CALL_AT.upstreamTransport] = start.upstreamTransport;
  values[CALL_AT.authMethod] = caller.authMethod;
  values[CALL_AT.requestBytes] = start.requestBytes ?? start.requestBody.byteLength;
  values[CALL_AT.captureMode] = context.mode;
  values[CALL_AT.networkTransport] = isPipe ? semconv.NETWORK_TRANSPORT_PIPE : semconv.NETWORK_TRANSPORT_TCP;
  if (!isPipe) values[CALL_AT.networkProtocol] = 'http';
  setText(row, CALL_AT.parentCallId, start.parentCallId ?? '');
  setText(row, CALL_AT.userKey, caller.userKey);
  setText(row, CALL_AT.keyName, displayText(caller.keyName));
  if (caller.teams.length > 0) {
    values[CALL_AT.teams] = caller.teams.slice(0, MAX_TEAMS).map((team) => displayText(team, MAX_TEAM_CHARS));
  }
  setText(row, CALL_AT.clientAddress, displayAddress(start.clientAddress));
  setText(row, CALL_AT.rpcId, displayRpcId(start.rpcId, context.pseudonyms));
  setClient(row, start.client);
  setSession(row, start.session, context.pseudonyms);
  setText(row, CALL_AT.protocolVersion, displayProtocolVersion(start.protocolVersion));
  if (method === 'tools/call') values[CALL_AT.operation] = semconv.GEN_AI_OPERATION_EXECUTE_TOOL;
  setText(row, CALL_AT.policyRule, displayText(start.policyRule ?? ''));
  if (start.leftOut !== undefined) setLeftOut(row, start.leftOut);
  if (context.demo) values[CALL_AT.demo] = true;
  if (context.httpTraceLinked) values[CALL_AT.httpTraceLinked] = true;
  return row;
}

function setLeftOut({ values }: AttributeRow, leftOut: NonNullable<CallStart['leftOut']>): void {
  values[CALL_AT.leftOutAttempts] = leftOut.attempts;
  values[CALL_AT.leftOutSources] = leftOut.sources;
  values[CALL_AT.leftOutSorts] = JSON.stringify(leftOut.bySort);
}

function setClient(row: AttributeRow, client: CallStart['client']): void {
  if (client === undefined) return;
  setText(row, CALL_AT.clientName, displayText(client.name));
  setText(row, CALL_AT.clientVersion, displayText(client.version, MAX_VERSION_CHARS));
}

function setSession(row: AttributeRow, session: CallStart['session'], pseudonyms: Pseudonyms): void {
  if (session === undefined || session.kind === 'none' || session.id === '') return;
  row.values[CALL_AT.sessionKey] = pseudonyms.hash('session', session.id);
  row.values[CALL_AT.sessionKind] = session.kind;
}

/** @param name masked already */
export function setTarget(row: AttributeRow, type: TargetType, name: string): void {
  setText(row, CALL_AT[type], name);
}

/** `{method} {target}`; resource URIs are no part of a span name (too many). */
export function spanName(method: string, type: TargetType | undefined, name: string): string {
  return type === undefined || type === 'resource' || name === '' ? method : `${method} ${name}`;
}

/** What the end of a call adds, besides payload, target and tokens. */
export function addEnd(row: AttributeRow, end: CallEnd, upstreamAttempts: number, pseudonyms: Pseudonyms): void {
  const { values } = row;
  values[CALL_AT.outcome] = end.outcome;
  // A request that was refused before it went upstream is an attempt, whoever opened its record.
  if (values[CALL_AT.kind] === 'request' && end.outcome === 'denied' && upstreamAttempts === 0) {
    values[CALL_AT.kind] = 'attempt';
  }
  if (end.upstreamTransport !== undefined) values[CALL_AT.upstreamTransport] = end.upstreamTransport;
  setText(row, CALL_AT.errorType, displayErrorType(end.errorType));
  const code = end.rpcErrorCode;
  if (code !== undefined && Number.isInteger(code) && code >= -0x80000000 && code <= 0x7fffffff) {
    values[CALL_AT.errorCode] = code.toString();
  }
  if (isCount(end.httpStatus, 999)) values[CALL_AT.httpStatus] = end.httpStatus;
  if (end.response !== undefined) values[CALL_AT.responseBytes] = end.response.bytes;
  if (upstreamAttempts > 0) values[CALL_AT.upstreamAttempts] = Math.min(upstreamAttempts, 255);
  if (end.upstreamMs !== undefined) values[CALL_AT.upstreamDuration] = nanosOfMs(end.upstreamMs);
  if (end.ttfbMs !== undefined) values[CALL_AT.ttfb] = nanosOfMs(end.ttfbMs);
  setClient(row, end.client);
  setSession(row, end.session, pseudonyms);
  setText(row, CALL_AT.protocolVersion, displayProtocolVersion(end.protocolVersion));
  setText(row, CALL_AT.policyRule, displayText(end.policyRule ?? ''));
  setText(row, CALL_AT.deniedBy, end.deniedBy ?? '');
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

/** what the call is, on both spans and on metrics */
const OF_THE_CALL: readonly number[] = [
  CALL_AT.method,
  CALL_AT.protocolVersion,
  CALL_AT.tool,
  CALL_AT.prompt,
  CALL_AT.operation,
  CALL_AT.errorCode,
  CALL_AT.server,
];
const SHARED_WITH_CLIENT_SPAN: readonly number[] = [...OF_THE_CALL, CALL_AT.resource, CALL_AT.rpcId, CALL_AT.errorType];
const OF_THE_CONNECTION: readonly number[] = [
  CALL_AT.networkTransport,
  CALL_AT.networkProtocol,
  CALL_AT.serverAddress,
  CALL_AT.serverPort,
];

/** Attributes of the CLIENT span. It has no `gatelens.kind`: it is no record. */
export function clientSpanAttributes(server: AttributeRow, start: CallStart): AttributeRow {
  const row = CALL_NAMES.row();
  const { values } = row;
  for (const at of SHARED_WITH_CLIENT_SPAN) values[at] = server.values[at];
  const isPipe = start.kind !== 'server_request' && start.upstreamTransport === 'stdio';
  values[CALL_AT.networkTransport] = isPipe ? semconv.NETWORK_TRANSPORT_PIPE : semconv.NETWORK_TRANSPORT_TCP;
  if (!isPipe) values[CALL_AT.networkProtocol] = 'http';
  if (start.upstreamAddress !== undefined) {
    values[CALL_AT.serverAddress] = start.upstreamAddress.host;
    values[CALL_AT.serverPort] = start.upstreamAddress.port;
  }
  return row;
}

const ON_METRICS: readonly number[] = [...OF_THE_CALL, ...OF_THE_CONNECTION, CALL_AT.outcome];
const ON_METRICS_OF_ERRORS: readonly number[] = [...ON_METRICS, CALL_AT.errorType];

/** The bounded names only; `error.type` only where the span is an error. */
export function metricAttributes(row: AttributeRow, isError: boolean): MetricAttributes {
  return row.toObject(isError ? ON_METRICS_OF_ERRORS : ON_METRICS) as MetricAttributes;
}

const ON_SESSION_METRICS: readonly number[] = [CALL_AT.protocolVersion, ...OF_THE_CONNECTION, CALL_AT.server];

export function sessionAttributes(row: AttributeRow): MetricAttributes {
  return row.toObject(ON_SESSION_METRICS) as MetricAttributes;
}
