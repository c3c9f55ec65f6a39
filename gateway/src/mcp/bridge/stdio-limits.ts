/**
 * Every bound of the stdio bridge, with its default. One place, so that the configuration schema and the documentation
 * can name them all.
 */
import { DEFAULT_MAX_LINE_BYTES } from '../scan/stdio-framing.ts';

export interface StdioLimits {
  /** child processes of one server, which is open sessions; the one that is idle longest gives way */
  readonly maxSessions: number;
  /** a session has to be idle this long before it gives way to a new one */
  readonly yieldAfterMs: number;
  /** ends a session with no open request and no stream */
  readonly idleMs: number;
  /** one message of the child */
  readonly maxMessageBytes: number;
  /** messages that the child has not read yet */
  readonly maxBacklogBytes: number;
  /** messages that a client has not read yet, before the child is made to wait */
  readonly maxQueuedBytes: number;
  readonly maxOpenRequests: number;
  /** until the child has answered `initialize`; `npx` may download a package in this time */
  readonly startTimeoutMs: number;
  /** without an answer and without progress */
  readonly requestTimeoutMs: number;
  /** a person may have to answer a server's question */
  readonly serverRequestTimeoutMs: number;
  /** an answer that takes longer comes as an event stream, so that nothing between takes the connection for dead */
  readonly sseAfterMs: number;
  readonly keepAliveMs: number;
  /** how long a client may stay away from a resumable stream before its requests are cancelled */
  readonly resumeGraceMs: number;
  /** a client that does not read for this long is taken for gone */
  readonly stallTimeoutMs: number;
  readonly replayEvents: number;
  readonly replayBytes: number;
  readonly stdinGraceMs: number;
  readonly termGraceMs: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_STDIO_LIMITS: StdioLimits = {
  maxSessions: 64,
  yieldAfterMs: 60_000,
  idleMs: 30 * 60_000,
  maxMessageBytes: DEFAULT_MAX_LINE_BYTES,
  maxBacklogBytes: 16 * MIB,
  maxQueuedBytes: 8 * MIB,
  maxOpenRequests: 256,
  startTimeoutMs: 60_000,
  requestTimeoutMs: 5 * 60_000,
  serverRequestTimeoutMs: 15 * 60_000,
  sseAfterMs: 15_000,
  keepAliveMs: 15_000,
  resumeGraceMs: 10_000,
  stallTimeoutMs: 120_000,
  replayEvents: 512,
  replayBytes: 4 * MIB,
  stdinGraceMs: 2_000,
  termGraceMs: 2_000,
};
