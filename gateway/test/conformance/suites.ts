/**
 * The runs of the official conformance suite, as data: which release, which scenarios, at which revision. Both releases
 * are pinned in package.json; the newer one is installed under a name of its own.
 */
export interface Suite {
  readonly name: string;
  /** name of the package in node_modules */
  readonly release: '@modelcontextprotocol/conformance' | 'conformance-next';
  readonly args: readonly string[];
}

export const SUITES: readonly Suite[] = [
  { name: '0.1.16 all', release: '@modelcontextprotocol/conformance', args: ['--suite', 'all'] },
  { name: '0.2.0-alpha.12 2025-11-25', release: 'conformance-next', args: ['--requirements', '2025-11-25'] },
  { name: '0.2.0-alpha.12 2026-07-28', release: 'conformance-next', args: ['--requirements', '2026-07-28'] },
];

/** Where the suite's requests go. */
export const ROUTES = ['direct', 'http', 'stdio'] as const;
export type Route = (typeof ROUTES)[number];
