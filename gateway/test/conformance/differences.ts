/**
 * Where the gateway's answers to the conformance suite differ from the server's own, and the clause that forces it. A
 * difference that is not here fails the run; so does a line here that no difference needs any more.
 */
import type { Route } from './suites.ts';

export interface Difference {
  readonly suites: readonly string[];
  readonly route: Exclude<Route, 'direct'>;
  readonly scenario: string;
  /** what comes out instead, as in the tables: `1`, `0`, `2 + 1 warned` */
  readonly through: string;
  /** where the specification says so */
  readonly clause: string;
  readonly why: string;
}

const OF_2025 = ['0.1.16 all', '0.2.0-alpha.12 2025-11-25'];

export const DIFFERENCES: readonly Difference[] = [
  {
    suites: OF_2025,
    route: 'stdio',
    scenario: 'server-sse-polling',
    through: '0',
    clause: '2025-11-25, Transports: stdio has no streams; Streamable HTTP, Sending Messages to the Server, 5 and 6',
    why: 'The tool of this scenario closes the event stream of its own request. A server behind stdio has none to close, so the gateway answers as 5 allows, with one JSON object, and the suite then has nothing to check. That streams of the gateway can be lost and resumed is tested in gateway/test/stdio.',
  },
  {
    suites: OF_2025,
    route: 'stdio',
    scenario: 'server-sse-multiple-streams',
    through: '1',
    clause: '2025-11-25, Transports: Streamable HTTP, Sending Messages to the Server, 5',
    why: 'The server chooses between an event stream and one JSON object. The gateway takes the latter where a response is all there is to say, so of the two checks only the one that all three requests are accepted remains; the other one looks at streams.',
  },
];
