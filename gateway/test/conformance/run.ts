/**
 * `npm run test:conformance`: the official suite against the everything-server directly, through the gateway to its HTTP
 * form, and through the gateway to its stdio form; compared check by check. Ends with 1 when something differs for no
 * known reason. `--suite TEXT` and `--route ROUTE` run a part, `--write` puts the table into docs/conformance.md.
 */
import { parseArgs } from 'node:util';
import { compare, formatCounts, totalOf } from './compare.ts';
import type { Comparison } from './compare.ts';
import { DIFFERENCES } from './differences.ts';
import { runSuite } from './official-suite.ts';
import type { SuiteResult } from './official-suite.ts';
import { startEverythingServer, startGateway } from './processes.ts';
import type { Running } from './processes.ts';
import { writeReport } from './report.ts';
import type { SuiteReport } from './report.ts';
import { ROUTES, SUITES } from './suites.ts';
import type { Route, Suite } from './suites.ts';

const { values } = parseArgs({
  options: { suite: { type: 'string' }, route: { type: 'string' }, write: { type: 'boolean' } },
});
const suites = SUITES.filter((suite) => values.suite === undefined || suite.name.includes(values.suite));
const routes = ROUTES.filter((route) => route === 'direct' || values.route === undefined || route === values.route);
if (suites.length === 0 || routes.length === 1) {
  throw new Error(`Known are the suites ${SUITES.map((suite) => suite.name).join(', ')} and the routes http, stdio.`);
}
if (values.write === true && (suites.length < SUITES.length || routes.length < ROUTES.length)) {
  throw new Error('--write needs the whole run.');
}

const running: Running[] = [];
try {
  const server = await startEverythingServer();
  running.push(server);
  const gateway = await startGateway(server.url);
  running.push(gateway);
  const urls: Record<Route, string> = {
    direct: server.url,
    http: `${gateway.url}/mcp/http`,
    stdio: `${gateway.url}/mcp/stdio`,
  };
  const reports: SuiteReport[] = [];
  for (const suite of suites) reports.push(await runRoutes(suite, urls));
  if (values.write === true) await writeReport(reports);
  const problems = reports.flatMap((report) => report.comparisons.flatMap(({ comparison }) => comparison.problems));
  for (const problem of problems) print(`✗ ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  else print('✓ Equal, or different for a reason that docs/conformance.md names.');
} finally {
  for (const one of running.reverse()) await one.stop();
}

async function runRoutes(suite: Suite, urls: Record<Route, string>): Promise<SuiteReport> {
  const direct = await runSuite(suite, urls.direct);
  print(`\n${suite.name}: ${direct.size} scenarios`);
  print(`  direct  ${formatCounts(totalOf(direct))}`);
  const failed = [...direct].flatMap(([scenario, checks]) =>
    checks.filter((check) => check.verdict === 'FAILURE').map((check) => `${scenario}: ${check.id}`)
  );
  const comparisons: { route: Route; result: SuiteResult; comparison: Comparison }[] = [];
  for (const route of routes.filter((one) => one !== 'direct')) {
    const result = await runSuite(suite, urls[route]);
    const comparison = compare(direct, result, DIFFERENCES, { suite: suite.name, route });
    comparisons.push({ route, result, comparison });
    print(`  ${route.padEnd(6)}  ${formatCounts(totalOf(result))}`);
    for (const { scenario, direct: before, through, explainedBy } of comparison.scenarios) {
      if (formatCounts(before) === formatCounts(through)) continue;
      const why = explainedBy === undefined ? 'unexplained' : explainedBy.clause;
      print(`    ${scenario}: ${formatCounts(before)} → ${formatCounts(through)} (${why})`);
    }
  }
  for (const one of failed) print(`  the server itself fails ${one}`);
  return { suite, direct, comparisons };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
