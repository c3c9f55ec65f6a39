/**
 * What the relay knows about one JSON-RPC message without parsing it: the fields that decide policy, correlation and
 * outcome, and where the trace context is. Filled by json-scanner.ts; read by the endpoint, the relays and bridges.
 * Names in here are as sent (hostile ones too): they go to the observer and to policy, never to a log.
 */

/** A byte range in the body that was scanned; `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A container in the message and whether it has members (a splice needs to know if a comma follows). */
export interface ObjectRange extends ByteRange {
  readonly empty: boolean;
}

export interface ImplementationName {
  readonly name: string;
  readonly version: string;
}

export type MessageKind = 'request' | 'notification' | 'response' | 'invalid';

export interface ScannedMessage {
  /** `invalid`: JSON, but no JSON-RPC 2.0 message */
  readonly kind: MessageKind;
  /** where the message stands in the body */
  readonly range: ByteRange;
  /** the JSON text of the id, e.g. `7` or `"a1"`; absent when there is none or it is neither string, number nor null */
  readonly id?: string;
  /** the value of `id`, quotes included */
  readonly idRange?: ByteRange;
  readonly method?: string;
  /** `params.name`, when it is a string */
  readonly name?: string;
  /** `params.uri`, when it is a string */
  readonly uri?: string;
  /** `params.ref` of completion/complete */
  readonly ref?: { readonly type?: string; readonly name?: string; readonly uri?: string };
  /** JSON text of `params.requestId` (notifications/cancelled) */
  readonly requestId?: string;
  readonly requestIdRange?: ByteRange;
  /** JSON text of `params._meta.progressToken`, or of `params.progressToken` for notifications/progress */
  readonly progressToken?: string;
  readonly progressTokenRange?: ByteRange;
  /** `params.protocolVersion` (initialize) or `params._meta["io.modelcontextprotocol/protocolVersion"]` */
  readonly protocolVersion?: string;
  /** `params.clientInfo` (initialize) or `params._meta["io.modelcontextprotocol/clientInfo"]` */
  readonly client?: ImplementationName;
  /** `params._meta["io.modelcontextprotocol/protocolVersion"]` is there: the request says of itself what it needs (2026-07-28) */
  readonly enveloped: boolean;
  /** its value, when it is a string */
  readonly envelopeVersion?: string;
  /** `params._meta["io.modelcontextprotocol/clientCapabilities"]` is an object */
  readonly hasClientCapabilities: boolean;
  /** `params._meta["io.modelcontextprotocol/logLevel"]`: the client wants log messages of this request */
  readonly logLevel?: string;
  /** `params.taskId` of tasks, core or extension */
  readonly taskId?: string;
  /** `_meta["io.modelcontextprotocol/related-task"].taskId`, of `params` or of `result` */
  readonly relatedTaskId?: string;
  /** `params.inputResponses` is there: the request answers what an earlier one was asked (2026-07-28) */
  readonly hasInputResponses: boolean;
  /** `params.requestState`, which the server gave with its questions */
  readonly requestState?: string;
  /** JSON text of `_meta["io.modelcontextprotocol/subscriptionId"]`, of `params` or of `result` */
  readonly subscriptionId?: string;
  readonly subscriptionIdRange?: ByteRange;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly baggage?: string;

  readonly hasResult: boolean;
  readonly hasError: boolean;
  readonly errorCode?: number;
  /** `result.isError` is `true` */
  readonly isError: boolean;
  /** `result.resultType` (2026-07-28), e.g. `input_required` */
  readonly resultType?: string;
  /** `result.requestState`, to come back with the answers */
  readonly resultState?: string;
  /** `result.taskId` or `result.task.taskId`: the request goes on as a task, or it is about one */
  readonly resultTaskId?: string;
  readonly resultProtocolVersion?: string;
  readonly serverInfo?: ImplementationName;
  readonly tools?: readonly string[];
  readonly prompts?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceTemplates?: readonly string[];

  /** false when `params`, `_meta` or `traceparent` is there but is not what the specification says: leave it alone */
  readonly spliceable: boolean;
  readonly params?: ObjectRange;
  readonly meta?: ObjectRange;
  /** the value, quotes included */
  readonly traceparentRange?: ByteRange;
  readonly tracestateRange?: ByteRange;
  /**
   * Policy-relevant members that were sent twice, or spelt so that another parser could take them for one (`Method`).
   * Fixed names only (`method`, `params.name` …), never text of the sender. Not empty: refuse, since the upstream
   * server might see another call than the policy did.
   */
  readonly ambiguous: readonly string[];
}

/** A message of a request body, with its bytes. */
export interface ReceivedMessage extends ScannedMessage {
  /** the message alone, a view on the body */
  readonly bytes: Buffer;
}

export interface ScannedBody {
  readonly batch: boolean;
  readonly messages: readonly ScannedMessage[];
}
