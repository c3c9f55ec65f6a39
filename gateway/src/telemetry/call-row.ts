/**
 * The row in which a call's attributes are kept: its names, from record/fields.ts, and the position of each. A name that
 * the record does not have fails at load.
 */
import { CALL_FIELDS, EXTRA_ATTRIBUTES } from '../record/fields.ts';
import { AttributeNames } from './attribute-row.ts';
import { CALL_ATTR } from './record-attributes.ts';
import * as semconv from './semconv.ts';

/** Every attribute that a call's spans can have, in the order of the record's columns. */
export const CALL_NAMES = new AttributeNames(
  [
    ...CALL_FIELDS.map(({ source }) => source).filter((source) => !/^(span|store):/.test(source)),
    ...EXTRA_ATTRIBUTES.map(({ attribute }) => attribute),
  ],
  [
    CALL_ATTR.recordVersion,
    CALL_ATTR.kind,
    CALL_ATTR.phase,
    CALL_ATTR.chainId,
    CALL_ATTR.server,
    CALL_ATTR.upstreamTransport,
    CALL_ATTR.upstreamAttempts,
    CALL_ATTR.authMethod,
    CALL_ATTR.clientName,
    CALL_ATTR.clientVersion,
    CALL_ATTR.sessionKind,
    CALL_ATTR.outcome,
    CALL_ATTR.captureMode,
    CALL_ATTR.payloadState,
    CALL_ATTR.policyRule,
    semconv.ATTR_MCP_METHOD_NAME,
    semconv.ATTR_MCP_PROTOCOL_VERSION,
    semconv.ATTR_GEN_AI_OPERATION_NAME,
    semconv.ATTR_HTTP_RESPONSE_STATUS_CODE,
    semconv.ATTR_NETWORK_TRANSPORT,
    semconv.ATTR_NETWORK_PROTOCOL_NAME,
    semconv.ATTR_SERVER_ADDRESS,
    semconv.ATTR_SERVER_PORT,
  ]
);

/** Positions in a row of a call's attributes. */
export const CALL_AT = {
  recordVersion: CALL_NAMES.position(CALL_ATTR.recordVersion),
  kind: CALL_NAMES.position(CALL_ATTR.kind),
  chainId: CALL_NAMES.position(CALL_ATTR.chainId),
  seq: CALL_NAMES.position(CALL_ATTR.seq),
  hash: CALL_NAMES.position(CALL_ATTR.hash),
  phase: CALL_NAMES.position(CALL_ATTR.phase),
  callId: CALL_NAMES.position(CALL_ATTR.callId),
  parentCallId: CALL_NAMES.position(CALL_ATTR.parentCallId),
  upstreamDuration: CALL_NAMES.position(CALL_ATTR.upstreamDuration),
  ttfb: CALL_NAMES.position(CALL_ATTR.ttfb),
  upstreamAttempts: CALL_NAMES.position(CALL_ATTR.upstreamAttempts),
  upstreamTransport: CALL_NAMES.position(CALL_ATTR.upstreamTransport),
  userKey: CALL_NAMES.position(semconv.ATTR_USER_HASH),
  authMethod: CALL_NAMES.position(CALL_ATTR.authMethod),
  keyName: CALL_NAMES.position(CALL_ATTR.keyName),
  teams: CALL_NAMES.position(CALL_ATTR.teams),
  clientName: CALL_NAMES.position(CALL_ATTR.clientName),
  clientVersion: CALL_NAMES.position(CALL_ATTR.clientVersion),
  clientAddress: CALL_NAMES.position(semconv.ATTR_CLIENT_ADDRESS),
  server: CALL_NAMES.position(CALL_ATTR.server),
  method: CALL_NAMES.position(semconv.ATTR_MCP_METHOD_NAME),
  tool: CALL_NAMES.position(semconv.ATTR_GEN_AI_TOOL_NAME),
  prompt: CALL_NAMES.position(semconv.ATTR_GEN_AI_PROMPT_NAME),
  resource: CALL_NAMES.position(semconv.ATTR_MCP_RESOURCE_URI),
  operation: CALL_NAMES.position(semconv.ATTR_GEN_AI_OPERATION_NAME),
  rpcId: CALL_NAMES.position(semconv.ATTR_JSONRPC_REQUEST_ID),
  sessionKey: CALL_NAMES.position(CALL_ATTR.sessionKey),
  sessionKind: CALL_NAMES.position(CALL_ATTR.sessionKind),
  protocolVersion: CALL_NAMES.position(semconv.ATTR_MCP_PROTOCOL_VERSION),
  outcome: CALL_NAMES.position(CALL_ATTR.outcome),
  errorType: CALL_NAMES.position(semconv.ATTR_ERROR_TYPE),
  errorCode: CALL_NAMES.position(semconv.ATTR_RPC_RESPONSE_STATUS_CODE),
  httpStatus: CALL_NAMES.position(semconv.ATTR_HTTP_RESPONSE_STATUS_CODE),
  requestBytes: CALL_NAMES.position(CALL_ATTR.requestBytes),
  responseBytes: CALL_NAMES.position(CALL_ATTR.responseBytes),
  tokens: CALL_NAMES.position(CALL_ATTR.tokens),
  captureMode: CALL_NAMES.position(CALL_ATTR.captureMode),
  payloadState: CALL_NAMES.position(CALL_ATTR.payloadState),
  requestSha256: CALL_NAMES.position(CALL_ATTR.requestSha256),
  responseSha256: CALL_NAMES.position(CALL_ATTR.responseSha256),
  policyRule: CALL_NAMES.position(CALL_ATTR.policyRule),
  deniedBy: CALL_NAMES.position(CALL_ATTR.deniedBy),
  demo: CALL_NAMES.position(CALL_ATTR.demo),
  networkTransport: CALL_NAMES.position(semconv.ATTR_NETWORK_TRANSPORT),
  networkProtocol: CALL_NAMES.position(semconv.ATTR_NETWORK_PROTOCOL_NAME),
  serverAddress: CALL_NAMES.position(semconv.ATTR_SERVER_ADDRESS),
  serverPort: CALL_NAMES.position(semconv.ATTR_SERVER_PORT),
  httpTraceLinked: CALL_NAMES.position(CALL_ATTR.httpTraceLinked),
  goesOn: CALL_NAMES.position(CALL_ATTR.goesOn),
  leftOutAttempts: CALL_NAMES.position(CALL_ATTR.leftOutAttempts),
  leftOutSources: CALL_NAMES.position(CALL_ATTR.leftOutSources),
  leftOutSorts: CALL_NAMES.position(CALL_ATTR.leftOutSorts),
} as const;
