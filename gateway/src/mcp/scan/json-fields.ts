/**
 * Which members of a JSON-RPC message the scanner looks at, as data: one table of keys per place in the message. Used by
 * json-scanner.ts only. A key that decides policy or correlation is `guarded`: sent twice, or in a spelling that a
 * case-folding parser takes for it, it is reported, because two parsers would see two different calls.
 */

/** A place in the message. Everything not listed is `other`: walked, not looked at. */
export const PLACE = {
  other: 0,
  batch: 1,
  message: 2,
  params: 3,
  ref: 4,
  meta: 5,
  clientInfo: 6,
  result: 7,
  error: 8,
  serverInfo: 9,
  tools: 10,
  tool: 11,
  prompts: 12,
  prompt: 13,
  resources: 14,
  resource: 15,
  resourceTemplates: 16,
  resourceTemplate: 17,
  clientCapabilities: 18,
  resultMeta: 19,
  relatedTask: 20,
  resultTask: 21,
} as const;
export type Place = (typeof PLACE)[keyof typeof PLACE];

export type FieldName =
  | 'jsonrpc'
  | 'id'
  | 'method'
  | 'params'
  | 'result'
  | 'error'
  | 'name'
  | 'uri'
  | 'ref'
  | 'refType'
  | 'refName'
  | 'refUri'
  | 'meta'
  | 'clientInfo'
  | 'clientName'
  | 'clientVersion'
  | 'protocolVersion'
  | 'envelopeVersion'
  | 'clientCapabilities'
  | 'logLevel'
  | 'subscriptionId'
  | 'taskId'
  | 'resultMeta'
  | 'relatedTask'
  | 'relatedTaskId'
  | 'resultTask'
  | 'resultTaskId'
  | 'requestState'
  | 'inputResponses'
  | 'resultState'
  | 'requestId'
  | 'progressToken'
  | 'metaProgressToken'
  | 'traceparent'
  | 'tracestate'
  | 'baggage'
  | 'isError'
  | 'resultType'
  | 'resultProtocolVersion'
  | 'serverInfo'
  | 'serverName'
  | 'serverVersion'
  | 'errorCode'
  | 'list'
  | 'item';

export interface KeyRule {
  readonly key: Buffer;
  /** the key in lower case, `''` when not guarded */
  readonly folded: string;
  readonly field: FieldName;
  /** the place inside, when the value is an object or an array */
  readonly inside: Place;
  /** what `ambiguous` calls it; `''` when a duplicate does no harm */
  readonly guardedAs: string;
  /** bit in the mask of keys seen at this place */
  readonly bit: number;
}

type Line = readonly [key: string, field: FieldName, guardedAs?: string, inside?: Place];

function table(lines: readonly Line[]): readonly KeyRule[] {
  return lines.map(([key, field, guardedAs = '', inside = PLACE.other], index) => ({
    key: Buffer.from(key),
    folded: guardedAs === '' ? '' : key.toLowerCase(),
    field,
    inside,
    guardedAs,
    bit: 1 << index,
  }));
}

const IMPLEMENTATION = {
  client: table([
    ['name', 'clientName'],
    ['version', 'clientVersion'],
  ]),
  server: table([
    ['name', 'serverName'],
    ['version', 'serverVersion'],
  ]),
};

/** Rules by place; an empty table where nothing is looked at. */
const KEY_RULES: readonly (readonly KeyRule[])[] = (() => {
  const rules: (readonly KeyRule[])[] = Array.from({ length: 22 }, () => []);
  rules[PLACE.message] = table([
    ['jsonrpc', 'jsonrpc', 'jsonrpc'],
    ['id', 'id', 'id'],
    ['method', 'method', 'method'],
    ['params', 'params', 'params', PLACE.params],
    ['result', 'result', 'result', PLACE.result],
    ['error', 'error', 'error', PLACE.error],
  ]);
  rules[PLACE.params] = table([
    ['name', 'name', 'params.name'],
    ['uri', 'uri', 'params.uri'],
    ['ref', 'ref', 'params.ref', PLACE.ref],
    ['_meta', 'meta', 'params._meta', PLACE.meta],
    ['requestId', 'requestId', 'params.requestId'],
    ['taskId', 'taskId', 'params.taskId'],
    ['requestState', 'requestState'],
    ['inputResponses', 'inputResponses'],
    ['progressToken', 'progressToken'],
    ['clientInfo', 'clientInfo', '', PLACE.clientInfo],
    ['protocolVersion', 'protocolVersion'],
  ]);
  rules[PLACE.ref] = table([
    ['type', 'refType', 'params.ref.type'],
    ['name', 'refName', 'params.ref.name'],
    ['uri', 'refUri', 'params.ref.uri'],
  ]);
  rules[PLACE.meta] = table([
    ['traceparent', 'traceparent'],
    ['tracestate', 'tracestate'],
    ['baggage', 'baggage'],
    ['progressToken', 'metaProgressToken'],
    ['io.modelcontextprotocol/protocolVersion', 'envelopeVersion'],
    ['io.modelcontextprotocol/clientCapabilities', 'clientCapabilities', '', PLACE.clientCapabilities],
    ['io.modelcontextprotocol/logLevel', 'logLevel'],
    ['io.modelcontextprotocol/subscriptionId', 'subscriptionId'],
    ['io.modelcontextprotocol/clientInfo', 'clientInfo', '', PLACE.clientInfo],
    ['io.modelcontextprotocol/related-task', 'relatedTask', '', PLACE.relatedTask],
  ]);
  rules[PLACE.resultMeta] = table([
    ['io.modelcontextprotocol/subscriptionId', 'subscriptionId'],
    ['io.modelcontextprotocol/related-task', 'relatedTask', '', PLACE.relatedTask],
  ]);
  rules[PLACE.relatedTask] = table([['taskId', 'relatedTaskId']]);
  rules[PLACE.resultTask] = table([['taskId', 'resultTaskId']]);
  rules[PLACE.clientInfo] = IMPLEMENTATION.client;
  rules[PLACE.result] = table([
    ['isError', 'isError'],
    ['resultType', 'resultType'],
    ['requestState', 'resultState'],
    ['taskId', 'resultTaskId'],
    ['task', 'resultTask', '', PLACE.resultTask],
    ['protocolVersion', 'resultProtocolVersion'],
    ['serverInfo', 'serverInfo', '', PLACE.serverInfo],
    ['_meta', 'resultMeta', '', PLACE.resultMeta],
    ['tools', 'list', '', PLACE.tools],
    ['prompts', 'list', '', PLACE.prompts],
    ['resources', 'list', '', PLACE.resources],
    ['resourceTemplates', 'list', '', PLACE.resourceTemplates],
  ]);
  rules[PLACE.error] = table([['code', 'errorCode']]);
  rules[PLACE.serverInfo] = IMPLEMENTATION.server;
  rules[PLACE.tool] = table([['name', 'item']]);
  rules[PLACE.prompt] = table([['name', 'item']]);
  rules[PLACE.resource] = table([['uri', 'item']]);
  rules[PLACE.resourceTemplate] = table([['uriTemplate', 'item']]);
  return rules;
})();

const NO_RULES: readonly KeyRule[] = [];

export function rulesAt(place: Place): readonly KeyRule[] {
  return KEY_RULES[place] ?? NO_RULES;
}

/** Where the objects in an array stand. */
export function placeOfItems(array: Place): Place {
  switch (array) {
    case PLACE.batch:
      return PLACE.message;
    case PLACE.tools:
      return PLACE.tool;
    case PLACE.prompts:
      return PLACE.prompt;
    case PLACE.resources:
      return PLACE.resource;
    case PLACE.resourceTemplates:
      return PLACE.resourceTemplate;
    default:
      return PLACE.other;
  }
}

/** The rule for a key, byte for byte. */
export function findRule(rules: readonly KeyRule[], bytes: Buffer, start: number, end: number): KeyRule | undefined {
  const length = end - start;
  const first = bytes[start];
  for (const rule of rules) {
    const key = rule.key;
    if (key.length !== length || key[0] !== first) continue;
    let same = 1;
    while (same < length && key[same] === bytes[start + same]) same++;
    if (same >= length) return rule;
  }
  return undefined;
}

/**
 * The guarded rule that a case-folding parser (Go's encoding/json: ASCII case, U+017F for s, U+212A for k) would take
 * this key for. Called for keys that matched no rule.
 */
export function findConfusable(rules: readonly KeyRule[], key: string): KeyRule | undefined {
  const folded = key.toUpperCase().toLowerCase();
  return rules.find((rule) => rule.folded === folded);
}

/** Cheap first look: could these bytes be another spelling of a guarded key? */
export function mayBeConfusable(rules: readonly KeyRule[], bytes: Buffer, start: number, end: number): boolean {
  for (const rule of rules) {
    if (rule.folded.length === end - start) return true;
  }
  for (let at = start; at < end; at++) {
    if ((bytes[at] ?? 0) >= 0x80) return true;
  }
  return false;
}
