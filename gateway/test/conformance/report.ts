/** Puts the results of a run into docs/conformance.md, between the marks that are there for them. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { formatCounts, totalOf } from './compare.ts';
import type { Comparison } from './compare.ts';
import { DIFFERENCES } from './differences.ts';
import type { SuiteResult } from './official-suite.ts';
import type { Route, Suite } from './suites.ts';

export interface SuiteReport {
  readonly suite: Suite;
  readonly direct: SuiteResult;
  readonly comparisons: readonly {
    readonly route: Route;
    readonly result: SuiteResult;
    readonly comparison: Comparison;
  }[];
}

const DOCUMENT = fileURLToPath(new URL('../../../docs/conformance.md', import.meta.url));
const MARKS = { begin: '<!-- results: begin -->', end: '<!-- results: end -->' };

export async function writeReport(reports: readonly SuiteReport[]): Promise<void> {
  const document = await readFile(DOCUMENT, 'utf8');
  const [before, rest] = document.split(MARKS.begin);
  const after = rest?.split(MARKS.end)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOCUMENT} has lost its marks.`);
  const whole = `${before}${MARKS.begin}\n\n${resultsOf(reports)}\n\n${MARKS.end}${after}`;
  const style = await resolveConfig(DOCUMENT);
  await writeFile(DOCUMENT, await format(whole, { ...style, parser: 'markdown' }));
}

function resultsOf(reports: readonly SuiteReport[]): string {
  const totals = [
    '| suite | scenarios | direct | HTTP upstream | stdio upstream |',
    '| --- | --- | --- | --- | --- |',
    ...reports.map((report) => {
      const cells = report.comparisons.map(({ result }) => formatCounts(totalOf(result)));
      return row([report.suite.name, String(report.direct.size), formatCounts(totalOf(report.direct)), ...cells]);
    }),
  ];
  return [...totals, '', ...differences(), '', ...reports.flatMap(scenariosOf)].join('\n');
}

function differences(): string[] {
  if (DIFFERENCES.length === 0) return ['No check differs.'];
  return [
    '### Differences',
    '',
    ...DIFFERENCES.map(
      ({ scenario, suites, route, clause, why }) =>
        `- \`${scenario}\`, ${route} upstream (${suites.join('; ')}). ${why} Clause: ${clause}.`
    ),
  ];
}

function scenariosOf({ suite, direct, comparisons }: SuiteReport): string[] {
  return [
    `### ${suite.name}`,
    '',
    '| scenario | direct | HTTP upstream | stdio upstream |',
    '| --- | --- | --- | --- |',
    ...[...direct.keys()].map((scenario) => {
      const through = comparisons.map(({ comparison }) =>
        comparison.scenarios.find((one) => one.scenario === scenario)
      );
      const before = through[0]?.direct;
      return row([
        `\`${scenario}\``,
        before === undefined ? '' : formatCounts(before),
        ...through.map((one) => (one === undefined ? '' : formatCounts(one.through))),
      ]);
    }),
    '',
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
