/** What happened in one stdio bridge, for metrics: every drop, refusal and failure has a counter here. */

export interface StdioCounters {
  childrenStarted: number;
  /** ended or timed out before `initialize` was answered */
  startFailures: number;
  /** ended on their own while a session was open */
  childrenLost: number;
  /** what children printed on stdout that is no JSON-RPC message */
  garbageLines: number;
  garbageBytes: number;
  stderrBytes: number;
  /** responses of a child to ids nobody waits for: unknown, answered before, cancelled, timed out */
  unknownResponses: number;
  /** progress and cancellations of a child that belong to nothing open, or that the client cannot receive */
  droppedNotifications: number;
  /** messages of a stateless child that name no request, while several could be meant */
  unrelatedNotifications: number;
  /** requests of a stateless child, which the revision forbids */
  forbiddenQuestions: number;
  /** responses of a client to questions nobody asked */
  unknownAnswers: number;
  /** cancellations of a client for requests that are not open */
  unknownCancellations: number;
  /** events a client could not get any more when it came back */
  lostEvents: number;
}

export function createStdioCounters(): StdioCounters {
  return {
    childrenStarted: 0,
    startFailures: 0,
    childrenLost: 0,
    garbageLines: 0,
    garbageBytes: 0,
    stderrBytes: 0,
    unknownResponses: 0,
    droppedNotifications: 0,
    unrelatedNotifications: 0,
    forbiddenQuestions: 0,
    unknownAnswers: 0,
    unknownCancellations: 0,
    lostEvents: 0,
  };
}
