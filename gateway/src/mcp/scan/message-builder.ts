/**
 * Collects what json-scanner.ts finds in one message and says what kind of message it is. Text is decoded here, once,
 * and only for the members of json-fields.ts. It refuses nothing: `invalid` and `ambiguous` are for the endpoint.
 * Longer than usual: one member more is one case more, and the cases stand by the kind of value for the scanner's sake.
 */
import { PLACE } from './json-fields.ts';
import type { KeyRule, Place } from './json-fields.ts';
import type { ByteRange, ImplementationName, MessageKind, ScannedMessage } from '../message.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Token {
  readonly text: string;
  readonly range: ByteRange;
}

/** Names kept of one list answer; what is beyond is not learnt. */
const MAX_NAMES = 10_000;
const PLAIN_ID = /^(?:-?(?:0|[1-9]\d{0,14})|"[^"\\]*")$/;

/** Parses a JSON string's text between the quotes. */
function decode(raw: string): string | undefined {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return undefined;
  }
}

/**
 * The form in which ids are compared: a server may echo `"a\u0031"` as `"a1"` and `1.0` as `1`.
 * @param id JSON text of an id
 */
export function idKey(id: string): string {
  if (PLAIN_ID.test(id)) return id;
  if (id.startsWith('"')) {
    const value = decode(id.slice(1, -1));
    return value === undefined ? id : JSON.stringify(value);
  }
  const value = Number(id);
  return Number.isNaN(value) ? id : String(value);
}

export class MessageBuilder {
  readonly #message: Mutable<ScannedMessage>;
  readonly #start: number;
  #ambiguous: string[] | undefined;
  #jsonrpc: string | undefined;
  #idSeen = false;
  #methodSeen = false;
  #paramsSeen = false;
  #metaSeen = false;
  #traceparentSeen = false;
  #seenInMessage = 0;
  #seenInParams = 0;
  #seenInRef = 0;
  #openedAt = { params: 0, meta: 0 };
  #implementation: { name?: string; version?: string } = {};
  /** of `params._meta` and of `params`: which one counts depends on the kind of message */
  #metaToken: Token | undefined;
  #paramsToken: Token | undefined;

  constructor(start: number) {
    this.#start = start;
    this.#message = {
      kind: 'invalid',
      range: { start, end: start },
      hasResult: false,
      hasError: false,
      isError: false,
      enveloped: false,
      hasClientCapabilities: false,
      hasInputResponses: false,
      spliceable: true,
      ambiguous: [],
    };
  }

  /** Something that stands where a message should and is not even an object. */
  static notAnObject(start: number): ScannedMessage {
    return new MessageBuilder(start).finish(start);
  }

  key(rule: KeyRule, place: Place): void {
    const seen =
      place === PLACE.message ? this.#seenInMessage : place === PLACE.params ? this.#seenInParams : this.#seenInRef;
    if (place === PLACE.message) this.#seenInMessage |= rule.bit;
    else if (place === PLACE.params) this.#seenInParams |= rule.bit;
    else if (place === PLACE.ref) this.#seenInRef |= rule.bit;
    if (place <= PLACE.ref && rule.guardedAs !== '' && (seen & rule.bit) !== 0) this.confusable(rule);
    switch (rule.field) {
      case 'id':
        this.#idSeen = true;
        break;
      case 'method':
        this.#methodSeen = true;
        break;
      case 'params':
        this.#paramsSeen = true;
        break;
      case 'meta':
        this.#metaSeen = true;
        break;
      case 'traceparent':
        this.#traceparentSeen = true;
        break;
      case 'envelopeVersion':
        this.#message.enveloped = true;
        break;
      case 'inputResponses':
        this.#message.hasInputResponses = true;
        break;
      case 'result':
        this.#message.hasResult = true;
        break;
      case 'error':
        this.#message.hasError = true;
        break;
      default:
        break;
    }
  }

  /** A guarded member came twice or in a spelling another parser takes for it. */
  confusable(rule: KeyRule): void {
    (this.#ambiguous ??= []).push(rule.guardedAs);
  }

  open(place: Place, start: number): void {
    if (place === PLACE.params) {
      this.#openedAt.params = start;
      this.#seenInParams = 0;
    } else if (place === PLACE.meta) {
      this.#openedAt.meta = start;
    } else if (place === PLACE.ref) {
      this.#seenInRef = 0;
      this.#message.ref = {};
    } else if (place === PLACE.clientInfo || place === PLACE.serverInfo) {
      this.#implementation = {};
    } else if (place === PLACE.clientCapabilities) {
      this.#message.hasClientCapabilities = true;
    }
  }

  close(place: Place, end: number, empty: boolean): void {
    const message = this.#message;
    if (place === PLACE.params) message.params = { start: this.#openedAt.params, end, empty };
    else if (place === PLACE.meta) message.meta = { start: this.#openedAt.meta, end, empty };
    else if (place === PLACE.clientInfo || place === PLACE.serverInfo) {
      const { name = '', version = '' } = this.#implementation;
      const found: ImplementationName = { name, version };
      if (place === PLACE.clientInfo) message.client = found;
      else message.serverInfo = found;
    }
  }

  /** @param raw the text between the quotes */
  string(rule: KeyRule, raw: string, escaped: boolean, range: ByteRange, place: Place): void {
    const value = escaped ? decode(raw) : raw;
    if (value === undefined) return;
    const message = this.#message;
    switch (rule.field) {
      case 'jsonrpc':
        this.#jsonrpc = value;
        break;
      case 'id':
        message.id = `"${raw}"`;
        message.idRange = range;
        break;
      case 'method':
        message.method = value;
        break;
      case 'name':
        message.name = value;
        break;
      case 'uri':
        message.uri = value;
        break;
      case 'refType':
        message.ref = { ...message.ref, type: value };
        break;
      case 'refName':
        message.ref = { ...message.ref, name: value };
        break;
      case 'refUri':
        message.ref = { ...message.ref, uri: value };
        break;
      case 'requestId':
        message.requestId = `"${raw}"`;
        message.requestIdRange = range;
        break;
      case 'progressToken':
        this.#paramsToken = { text: `"${raw}"`, range };
        break;
      case 'metaProgressToken':
        this.#metaToken = { text: `"${raw}"`, range };
        break;
      case 'protocolVersion':
        message.protocolVersion = value;
        break;
      case 'envelopeVersion':
        message.protocolVersion = value;
        message.envelopeVersion = value;
        break;
      case 'logLevel':
        message.logLevel = value;
        break;
      case 'taskId':
        message.taskId = value;
        break;
      case 'relatedTaskId':
        message.relatedTaskId = value;
        break;
      case 'resultTaskId':
        message.resultTaskId = value;
        break;
      case 'requestState':
        message.requestState = value;
        break;
      case 'resultState':
        message.resultState = value;
        break;
      case 'subscriptionId':
        message.subscriptionId = `"${raw}"`;
        message.subscriptionIdRange = range;
        break;
      case 'clientName':
      case 'serverName':
        this.#implementation.name = value;
        break;
      case 'clientVersion':
      case 'serverVersion':
        this.#implementation.version = value;
        break;
      case 'traceparent':
        message.traceparent = value;
        message.traceparentRange = range;
        break;
      case 'tracestate':
        message.tracestate = value;
        message.tracestateRange = range;
        break;
      case 'baggage':
        message.baggage = value;
        break;
      case 'resultType':
        message.resultType = value;
        break;
      case 'resultProtocolVersion':
        message.resultProtocolVersion = value;
        break;
      case 'item':
        this.#listed(value, place);
        break;
      default:
        break;
    }
  }

  number(rule: KeyRule, raw: string, range: ByteRange): void {
    const message = this.#message;
    switch (rule.field) {
      case 'id':
        message.id = raw;
        message.idRange = range;
        break;
      case 'requestId':
        message.requestId = raw;
        message.requestIdRange = range;
        break;
      case 'progressToken':
        this.#paramsToken = { text: raw, range };
        break;
      case 'metaProgressToken':
        this.#metaToken = { text: raw, range };
        break;
      case 'subscriptionId':
        message.subscriptionId = raw;
        message.subscriptionIdRange = range;
        break;
      case 'errorCode':
        message.errorCode = Number(raw);
        break;
      case 'traceparent':
        message.traceparentRange = range;
        break;
      default:
        break;
    }
  }

  literal(rule: KeyRule, text: string, range: ByteRange): void {
    if (rule.field === 'isError') this.#message.isError = text === 'true';
    else if (rule.field === 'id' && text === 'null') this.#message.id = text;
    else if (rule.field === 'traceparent') this.#message.traceparentRange = range;
  }

  finish(end: number): ScannedMessage {
    const message = this.#message;
    message.range = { start: this.#start, end };
    message.kind = this.#kind();
    const token = message.method === 'notifications/progress' ? this.#paramsToken : this.#metaToken;
    if (token !== undefined) {
      message.progressToken = token.text;
      message.progressTokenRange = token.range;
    }
    message.spliceable =
      this.#paramsSeen === (message.params !== undefined) &&
      this.#metaSeen === (message.meta !== undefined) &&
      this.#traceparentSeen === (message.traceparentRange !== undefined);
    if (this.#ambiguous !== undefined) message.ambiguous = this.#ambiguous;
    return message;
  }

  #kind(): MessageKind {
    const { id, method, hasResult, hasError } = this.#message;
    if (this.#jsonrpc !== '2.0') return 'invalid';
    if (this.#methodSeen) {
      if (method === undefined || hasResult || hasError) return 'invalid';
      if (!this.#idSeen) return 'notification';
      // MCP: a request's id must not be null
      return id === undefined || id === 'null' ? 'invalid' : 'request';
    }
    if (hasResult === hasError) return 'invalid';
    if (hasError) return this.#idSeen && id === undefined ? 'invalid' : 'response';
    return id === undefined || id === 'null' ? 'invalid' : 'response';
  }

  #listed(value: string, place: Place): void {
    const message = this.#message;
    let names: string[];
    if (place === PLACE.tool) names = (message.tools ??= []) as string[];
    else if (place === PLACE.prompt) names = (message.prompts ??= []) as string[];
    else if (place === PLACE.resource) names = (message.resources ??= []) as string[];
    else names = (message.resourceTemplates ??= []) as string[];
    if (names.length < MAX_NAMES) names.push(value);
  }
}
