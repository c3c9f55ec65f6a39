/**
 * Compares what the suite found on two routes to the same server, check by check. Every difference needs a reason in
 * differences.ts, every reason a difference, and a scenario without checks is a failure on either side.
 */
import type { Difference } from './differences.ts';
import { VERDICTS } from './official-suite.ts';
import type { Check, SuiteResult, Verdict } from './official-suite.ts';
import type { Route } from './suites.ts';

export type Counts = Readonly<Record<Verdict, number>>;

export interface ScenarioComparison {
  readonly scenario: string;
  readonly direct: Counts;
  readonly through: Counts;
  /** `check-id FAILURE: message`, only on one side */
  readonly onlyDirect: readonly string[];
  readonly onlyThrough: readonly string[];
  readonly explainedBy?: Difference;
}

export interface Comparison {
  readonly scenarios: readonly ScenarioComparison[];
  /** sentences; empty when all is well */
  readonly problems: readonly string[];
}

function countChecks(checks: readonly Check[]): Counts {
  const counts: Record<Verdict, number> = { SUCCESS: 0, FAILURE: 0, WARNING: 0, SKIPPED: 0 };
  for (const check of checks) counts[check.verdict] += 1;
  return counts;
}

export function totalOf(result: SuiteResult): Counts {
  return countChecks([...result.values()].flat());
}

export function compare(
  direct: SuiteResult,
  through: SuiteResult,
  reasons: readonly Difference[],
  where: { readonly suite: string; readonly route: Route }
): Comparison {
  const applicable = reasons.filter((reason) => reason.suites.includes(where.suite) && reason.route === where.route);
  const problems: string[] = [];
  const scenarios = [...new Set([...direct.keys(), ...through.keys()])].map((scenario) => {
    const before = direct.get(scenario) ?? [];
    const after = through.get(scenario) ?? [];
    const explainedBy = applicable.find((reason) => reason.scenario === scenario);
    const onlyDirect = without(before, after);
    const onlyThrough = without(after, before);
    const differs = onlyDirect.length + onlyThrough.length > 0;
    const at = `${where.suite}, ${where.route}, ${scenario}`;
    if (before.length === 0) problems.push(`${at}: no checks at all when asked directly.`);
    const counts = formatCounts(countChecks(after));
    if (after.length === 0 && explainedBy === undefined) problems.push(`${at}: no checks at all.`);
    if (differs && explainedBy === undefined) {
      problems.push(`${at}: differs without a reason. ${summary(onlyDirect, onlyThrough)}`);
    }
    if (explainedBy !== undefined && counts !== explainedBy.through) {
      problems.push(
        `${at}: differences.ts expects ${explainedBy.through}, this is ${counts}. ${summary(onlyDirect, onlyThrough)}`
      );
    }
    if (!differs && explainedBy !== undefined)
      problems.push(`${at}: differences.ts explains a difference that is none.`);
    return {
      scenario,
      direct: countChecks(before),
      through: countChecks(after),
      onlyDirect,
      onlyThrough,
      ...(explainedBy === undefined ? {} : { explainedBy }),
    };
  });
  const unknown = applicable.filter((reason) => !direct.has(reason.scenario));
  for (const reason of unknown) problems.push(`${where.suite}: differences.ts names no scenario "${reason.scenario}".`);
  return { scenarios, problems };
}

/** What `a` has more of than `b`, by check and verdict. */
function without(a: readonly Check[], b: readonly Check[]): string[] {
  const left = b.map((check) => `${check.id} ${check.verdict}`);
  return a.flatMap((check) => {
    const at = left.indexOf(`${check.id} ${check.verdict}`);
    if (at === -1) return [describe(check)];
    left.splice(at, 1);
    return [];
  });
}

function describe({ id, verdict, message }: Check): string {
  return message === '' ? `${id} ${verdict}` : `${id} ${verdict}: ${message}`;
}

function summary(onlyDirect: readonly string[], onlyThrough: readonly string[]): string {
  return `Directly: ${onlyDirect.join('; ') || 'nothing more'}. Through the gateway: ${onlyThrough.join('; ') || 'nothing more'}.`;
}

/** `8`, or `6 + 2 failed + 1 warned`. */
export function formatCounts(counts: Counts): string {
  const words: Record<Verdict, string> = { SUCCESS: '', FAILURE: ' failed', WARNING: ' warned', SKIPPED: ' skipped' };
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0).map(
    (verdict) => `${counts[verdict]}${words[verdict]}`
  );
  return parts.join(' + ') || '0';
}
