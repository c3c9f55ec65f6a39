/** What the records of all exchanges with one HTTP upstream share: who waits for what, and for how long. */
import type { RecordedAt } from '../exchange.ts';
import type { OpenCalls } from './open-calls.ts';
import type { ServerRequests } from './server-requests.ts';
import type { SessionDirectory } from '../sessions.ts';

export interface RecordsContext {
  readonly at: RecordedAt;
  readonly openCalls: OpenCalls;
  readonly serverRequests: ServerRequests;
  readonly sessions: SessionDirectory;
  /** how long a call whose stream broke may still be answered on a resumed one */
  readonly resumeGraceMs: number;
}
