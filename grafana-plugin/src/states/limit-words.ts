/** Limits of one query at the audit API, in words: why something was looked at in part, or not counted at all. */
import type { CallPage } from '../data/contract.ts';

export type QueryLimit = NonNullable<CallPage['cutBy']>;

export const LIMIT_WORDS: Readonly<Record<QueryLimit, string>> = {
  time: 'the time for one question was up',
  rows: 'one question may not read more rows',
  memory: 'one question may not take more memory',
};
