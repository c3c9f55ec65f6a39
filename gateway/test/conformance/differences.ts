/**
 * Where the gateway's answers to the conformance suite differ from the server's own, and the clause that forces it. A
 * difference that is not here fails the run; so does a line here that no difference needs any more.
 */
import type { Route } from './suites.ts';

export interface Difference {
  readonly suites: readonly string[];
  readonly route: Exclude<Route, 'direct'>;
  readonly scenario: string;
  /** the suite gives no verdict at all on this route */
  readonly noChecks?: boolean;
  /** where the specification says so */
  readonly clause: string;
  readonly why: string;
}

export const DIFFERENCES: readonly Difference[] = [];
