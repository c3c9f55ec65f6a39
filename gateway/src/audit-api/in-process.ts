/**
 * How another part of this process asks the audit API on behalf of somebody it has authenticated itself: the same routes,
 * the same visibility, the same access records, without a port. The brand cannot be forged by a request: what comes over
 * the network brings bindings of its own, never an instance of this class.
 */
import type { ApiCaller } from './visibility.ts';

export interface InProcessRequest {
  /** left out: the request authenticates by its own token, like any other */
  readonly caller?: ApiCaller;
  readonly clientAddress: string;
}

export class InProcessBindings {
  readonly #request: InProcessRequest;

  constructor(request: InProcessRequest) {
    this.#request = request;
  }

  /** @param env bindings of a request. @returns undefined when it came over the network */
  static of(env: unknown): InProcessRequest | undefined {
    return env instanceof InProcessBindings ? env.#request : undefined;
  }
}
