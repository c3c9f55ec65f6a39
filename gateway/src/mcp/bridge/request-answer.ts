/**
 * Where the answers to one POST of a client go, as the requests in it see it: into the POST's own answer
 * (stdio-post-answer.ts) or, with clients of the older transport, into their one event stream (legacy-answer.ts).
 */
import type { Exchange } from '../exchange.ts';
import type { OutgoingEvent } from './stdio-event-stream.ts';

export interface RequestAnswer {
  readonly exchange: Exchange;
  /** Whether messages other than responses can go here. */
  readonly carriesEvents: boolean;
  /** the HTTP status for the record, whatever comes of the request; omitted: as the response says */
  readonly httpStatus?: number;
  /** One more request whose response belongs here. All are announced before the answer starts. */
  expect(intent: Promise<unknown>): void;
  push(event: OutgoingEvent): void;
  /**
   * @param status for a plain answer to a single request
   * @param instead the JSON-RPC error for the stream when the answer could not be recorded
   */
  respond(body: Uint8Array, settled: Promise<unknown>, instead: () => Uint8Array, status?: number): void;
  /** A request that gets no response, since the client cancelled it. @param rpcId JSON text, as the client sent it */
  withdraw(rpcId: string): void;
}
