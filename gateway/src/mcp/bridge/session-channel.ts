/**
 * The seam between a session and the upstream server that serves it alone: a child process on its standard input and
 * output, or a connection of the older HTTP+SSE transport. Carries whole JSON texts both ways and says when it is over;
 * knows no JSON-RPC and keeps no record.
 */
import type { LogFields } from '../../logger.ts';
import type { Failure } from './stdio-failure.ts';

export interface ChannelEnd {
  /** what is logged: an event name, and codes and counts only */
  readonly event: string;
  readonly fields: LogFields;
  /** @param starting `initialize` was not answered yet */
  failure(starting: boolean): Failure;
}

export interface ChannelListener {
  /** One text of the server, usually one message; the bytes may be kept. */
  onText(text: Buffer): void;
  /** Once, after the last text. */
  onEnd(end: ChannelEnd): void;
}

export interface SessionChannel {
  /** of a child process */
  readonly pid?: number | undefined;
  /** Resolves when the server can be spoken to, or when it is clear that it never can; `onEnd` then said why. */
  readonly opened: Promise<void>;
  /** sent and not taken by the server yet */
  readonly backlogBytes: number;
  /**
   * @param onFailed the server did not take this text, while the channel lives on; never called after `onEnd`
   * @returns false when it takes nothing any more
   */
  send(json: Uint8Array, onFailed?: (failure: Failure) => void): boolean;
  /** Stops reading what the server says, until `resume`. */
  pause(): void;
  resume(): void;
  /** Resolves when nothing of it is left; safe to call often. */
  stop(): Promise<unknown>;
  /** Last resort when the gateway itself is about to exit: no waiting. */
  killNow(): void;
}

export type OpenChannel = (listener: ChannelListener) => SessionChannel;
