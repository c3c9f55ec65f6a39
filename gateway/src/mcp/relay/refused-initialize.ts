/**
 * Stands between undici and the answer to an `initialize` while it is not known which transport its server speaks. One
 * that refuses it with 400, 404 or 405 may speak the older one (2025-11-25, Transports, Backwards Compatibility): the
 * refusal waits until that is known, then passes as it came, or somebody else answers. All else passes at once.
 */
import type { Dispatcher } from 'undici';
import { GatelensError } from '../../errors.ts';
import type { HttpAnswer } from './http-answer.ts';

export interface OtherTransport {
  /** The server took it: nothing is asked of it any more. */
  taken(): void;
  /** The server refused it. @returns false when the refusal has to pass; never rejects */
  isOlder(): Promise<boolean>;
}

const REFUSED: ReadonlySet<number> = new Set([400, 404, 405]);

export class RefusedInitialize implements Dispatcher.DispatchHandler {
  readonly #answer: HttpAnswer;
  readonly #transport: OtherTransport;
  readonly #handOver: () => void;
  /** what came while it was not known; undefined: passes at once */
  #held: (() => void)[] | undefined;
  #handedOver = false;

  /** @param handOver somebody else answers now, nothing more comes from here */
  constructor(answer: HttpAnswer, transport: OtherTransport, handOver: () => void) {
    this.#answer = answer;
    this.#transport = transport;
    this.#handOver = handOver;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#answer.onRequestStart(controller);
  }

  onResponseStart(...head: Parameters<HttpAnswer['onResponseStart']>): void {
    const [controller, status] = head;
    if (!REFUSED.has(status)) {
      if (status >= 200 && status < 300) this.#transport.taken();
      this.#answer.onResponseStart(...head);
      return;
    }
    controller.pause();
    this.#held = [() => this.#answer.onResponseStart(...head)];
    void this.#transport.isOlder().then((isOlder) => {
      // too late when the client has left, or a record could not be kept
      if (isOlder && this.#answer.giveUp()) {
        this.#handedOver = true;
        controller.abort(new GatelensError('client_gone', 'The answer is not wanted any more.'));
        this.#handOver();
        return;
      }
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const pass of held) pass();
      if (!this.#answer.paused) controller.resume();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#pass(() => this.#answer.onResponseData(controller, chunk));
  }

  onResponseEnd(): void {
    this.#pass(() => this.#answer.onResponseEnd());
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#pass(() => this.#answer.onResponseError(controller, error));
  }

  #pass(event: () => void): void {
    if (this.#handedOver) return;
    if (this.#held === undefined) event();
    else this.#held.push(event);
  }
}
