/**
 * The seam between the relay and the record. The relay tells an observer what passes; it never knows how a record is
 * made, sealed or stored. Implemented by telemetry/call-observer.ts; a no-op twin serves benchmarks and tests.
 * Bytes handed over here may contain payload: an implementation must not let them reach a log, a span or an error text.
 */
import type { AuthMethod, DeniedBy, Outcome, SessionKind } from '../record/vocabulary.ts';

/** Who calls, as far as metadata may know: no e-mail, no login. */
export interface Caller {
  /** keyed hash of the person or `''` when unauthenticated */
  readonly userKey: string;
  /** name of the API key, or `''` */
  readonly keyName: string;
  readonly teams: readonly string[];
  readonly authMethod: AuthMethod;
}

/** Raw header pairs in the order received. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface TraceContextCarrier {
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly baggage?: string;
}

export interface CallStart {
  readonly kind: 'request' | 'notification' | 'server_request' | 'stream' | 'attempt';
  /** key in `mcpServers`; for an unknown server the name that was asked for (shown as `(unlisted)`) */
  readonly server: string;
  /** false when `server` is not configured */
  readonly serverKnown: boolean;
  readonly caller: Caller;
  /** JSON-RPC method as sent (unknown ones are masked by the observer); `stream` for GET streams; `''` if unreadable */
  readonly method: string;
  /** tool or prompt name, or resource URI, as sent */
  readonly target?: { readonly type: 'tool' | 'prompt' | 'resource'; readonly name: string };
  /** the JSON text of the id, e.g. `7` or `"a1"` */
  readonly rpcId?: string;
  readonly session?: { readonly id: string; readonly kind: SessionKind };
  readonly client?: { readonly name: string; readonly version: string };
  readonly clientAddress?: string;
  readonly protocolVersion?: string;
  readonly upstreamTransport: 'http' | 'sse' | 'stdio' | 'none';
  /** host and port of an HTTP upstream */
  readonly upstreamAddress?: { readonly host: string; readonly port: number };
  readonly requestHeaders: HeaderList;
  /** the whole request body as it came (one JSON-RPC message), possibly cut at the body limit */
  readonly requestBody: Uint8Array;
  /** true size when `requestBody` is cut */
  readonly requestBytes?: number;
  /** from `params._meta` (the parent) */
  readonly metaTrace?: TraceContextCarrier;
  /** from HTTP headers (a link when `metaTrace` is there too, else the parent) */
  readonly httpTrace?: TraceContextCarrier;
  /** the call under which this server_request or notification runs */
  readonly parentCallId?: string;
  /** calls that a message may belong to, when nothing says which: no more of it is kept than of any of them */
  readonly underCallIds?: readonly string[];
  /** the request answers what the server asked in its answer to an earlier one; `state` as it gave it there */
  readonly answersRound?: { readonly state?: string };
  /** the task that the message is about; `''`: one that is not named */
  readonly taskId?: string;
  /** the policy rule that let it pass; `policyRule` of the end takes its place */
  readonly policyRule?: string;
  /** `performance.now()` at arrival; omitted: now */
  readonly arrivedAt?: number;
  /** it stands for so many attempts that have no record of their own, from its start to its end; by error code */
  readonly leftOut?: {
    readonly attempts: number;
    readonly sources: number;
    readonly bySort: Readonly<Record<string, number>>;
  };
}

/** The bytes that came back, as captured up to the cap. */
export interface CapturedBody {
  readonly chunks: readonly Uint8Array[];
  /** true size, also beyond the cap */
  readonly bytes: number;
  readonly format: 'json' | 'sse' | 'text';
}

export interface CallEnd {
  readonly outcome: Outcome;
  /** low-cardinality class: JSON-RPC code, `tool_error`, or a GatelensError code. Never a message. */
  readonly errorType?: string;
  readonly rpcErrorCode?: number;
  readonly httpStatus?: number;
  readonly responseHeaders?: HeaderList;
  readonly response?: CapturedBody;
  /** names in a tools/list or prompts/list result, or URIs in resources/list, seen in this answer */
  readonly listed?: { readonly type: 'tool' | 'prompt' | 'resource'; readonly names: readonly string[] };
  /** milliseconds between sending upstream and the end of its answer */
  readonly upstreamMs?: number;
  /** milliseconds between sending upstream and its first byte */
  readonly ttfbMs?: number;
  /** client name and version, when learnt late (initialize) */
  readonly client?: { readonly name: string; readonly version: string };
  readonly protocolVersion?: string;
  /** the session the upstream opened in its answer */
  readonly session?: { readonly id: string; readonly kind: SessionKind };
  /** instead of the start's: the server turned out to speak another one */
  readonly upstreamTransport?: CallStart['upstreamTransport'];
  readonly policyRule?: string;
  readonly deniedBy?: DeniedBy;
  /** the answer is no end but questions of the server (`input_required`): the client's next request goes on */
  readonly asks?: { readonly state?: string };
  /** the task as which the request goes on */
  readonly startedTaskId?: string;
}

export interface CallObservation {
  readonly callId: string;
  /** what to send upstream so that its span becomes a child of ours */
  readonly upstreamTrace: TraceContextCarrier;
  /** how many response bytes are worth keeping for the payload event; 0 when capture is off */
  readonly captureBytes: number;
  /**
   * Resolves when the intent, or the completion in its place, is on disk (at once under `audit.durability: async`).
   * Rejects with GatelensError `audit_unavailable` when it cannot be kept and `audit.onFailure` is `refuse`.
   */
  intent(): Promise<void>;
  /**
   * The client could see something now and waits for the intent alone, so that it should be written without delay. Until
   * then an implementation may put it off for a few milliseconds, in case the call ends: `end` stands for the intent, too.
   */
  hurry(): void;
  /** Call when the request goes upstream: starts the CLIENT span. */
  upstreamStarted(): void;
  /**
   * The call is over. Resolves when the completion is on disk (at once under `async`); rejects as `intent` does.
   * Only the first call counts.
   */
  end(end: CallEnd): Promise<void>;
}

export interface CallObserver {
  begin(start: CallStart): CallObservation;
}
