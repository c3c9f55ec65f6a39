/** The words of exports: filters, refusals, progress. */
import { describe, expect, it } from 'vitest';
import type { ExportRun, Me } from '../data/contract.ts';
import { valueNames } from '../filters/value-names.ts';
import { NO_FILTERS, readFilters } from '../url/call-filters.ts';
import {
  estimateText,
  exportCommand,
  filterLines,
  fittingShape,
  keptFilters,
  payloadReach,
  progressText,
  whyNoExport,
  whyNoPayloads,
} from './export-words.ts';
import { downloadAddress } from './save-download.ts';

const names = valueNames(undefined);

it('says what makes the same file from a shell; what somebody typed runs nothing there', () => {
  const request = {
    from: '2026-11-24T00:00:00Z',
    to: '2026-11-25T00:00:00Z',
    filters: { server: ['hr', 'a b'], q: "$(rm -rf ~)'" },
    format: 'csv',
    compression: 'gzip',
    columns: ['server', 'tool'],
    payloads: true,
  } as const;
  expect(exportCommand(request, 'x.csv.gz')).toBe(
    "npx gatelens export --from 2026-11-24T00:00:00Z --to 2026-11-25T00:00:00Z --filter server=hr --filter 'server=a b' " +
      String.raw`--filter 'q=$(rm -rf ~)'\''' --format csv --compression gzip --columns server,tool --payloads --out x.csv.gz`
  );
});

function me(change: Partial<Me['visibility']>, auditorTeams: readonly string[] = ['Security Audit']): Me {
  return {
    kind: 'grafana',
    name: 'ana',
    roles: ['viewer'],
    user: null,
    visibility: {
      calls: 'own',
      usage: 'own',
      identities: false,
      accessLog: 'own',
      settings: 'none',
      payloads: { allowed: false, servers: [] },
      ...change,
    },
    explanation: [],
    auditorTeams: [...auditorTeams],
  };
}

function run(change: Partial<ExportRun>): ExportRun {
  return {
    id: 'r',
    kind: 'download',
    scheduleId: null,
    scheduleName: null,
    state: 'running',
    by: { name: 'ana', user: null },
    from: '2026-11-24T00:00:00Z',
    to: '2026-11-25T00:00:00Z',
    filters: {},
    format: 'jsonl',
    compression: 'none',
    columns: [],
    payloads: false,
    supplement: null,
    expectedRows: null,
    rows: 1200,
    bytes: 4000,
    startedAt: null,
    endedAt: null,
    attempts: 1,
    nextAttemptAt: null,
    problem: null,
    objects: [],
    manifestName: null,
    ...change,
  };
}

describe('filters in words', () => {
  it.each([
    ['', []],
    ['server=a&server=b', ['Server is a or b']],
    ['notServer=a&notServer=b', ['Server is not a and not b']],
    ['outcome=tool_error&q=two+words', ['Status is tool error', 'Metadata holds “two words”']],
    ['minDurationMs=1500&tool=(none)', ['Tool is none', 'Took at least 1.50 s']],
    ['demo=true', ['Demo data, made up']],
  ])('%s', (address, expected) => {
    const said = filterLines(readFilters(new URLSearchParams(address)), names);
    expect(said.map((line) => line.toLowerCase())).toEqual(expected.map((line) => line.toLowerCase()));
  });

  it('reads the same when the audit API kept them', () => {
    const kept = keptFilters({ server: ['a', 'b'], notTool: ['x'], minDurationMs: 10, q: 'w' });
    expect(filterLines(kept, names)).toEqual([
      'Server is a or b',
      'Tool is not x',
      'Metadata holds “w”',
      'Took at least 10 ms',
    ]);
    expect(keptFilters({})).toEqual(NO_FILTERS);
  });
});

describe('who may export what', () => {
  it('says to a viewer why not, and who can', () => {
    expect(whyNoExport(me({}))).toContain('Security Audit');
    expect(whyNoExport(me({}, []))).not.toContain('(');
    expect(whyNoExport(me({ calls: 'all' }))).toBeUndefined();
  });

  it('says to an admin why not payloads, and who can help', () => {
    expect(whyNoPayloads(me({ calls: 'all' }))).toContain('Auditor teams: Security Audit.');
    expect(whyNoPayloads(me({ calls: 'all' }, []))).toContain('none yet');
    expect(whyNoPayloads(me({ payloads: { allowed: true, servers: '*' } }))).toBeUndefined();
  });

  it('names the servers of an Auditor of some', () => {
    expect(payloadReach(me({ payloads: { allowed: true, servers: ['hr', 'files'] } }))).toContain('of hr, files;');
  });
});

describe('an export', () => {
  it('is estimated in rows and bytes', () => {
    const estimate = { from: '', to: '', rows: 1, bytes: 1350, payloadBytes: null, payloadRows: null, warnings: [] };
    expect(estimateText(estimate)).toBe('1 row, about 1.4 kB before compression');
    expect(estimateText({ ...estimate, payloadBytes: 200 })).toContain('200 B of it payloads');
    expect(estimateText({ ...estimate, rows: 0 })).toBe('No rows');
  });

  it('says how far it is, and that a broken file is not whole', () => {
    expect(progressText(run({}), 5000)).toBe('Under way: 1,200 of about 5,000 rows, 4.0 kB.');
    expect(progressText(run({ state: 'failed', problem: 'The store broke off.' }), 5000)).toBe(
      'Failed after 1,200 rows, 4.0 kB. The store broke off. The file is not whole.'
    );
    expect(progressText(run({ state: 'done' }), undefined)).not.toContain('not whole');
  });

  it('as Parquet has no payloads and no compression of its own', () => {
    expect(fittingShape({ format: 'parquet', compression: 'gzip', payloads: true })).toEqual({
      format: 'parquet',
      compression: 'none',
      payloads: false,
    });
    expect(fittingShape({ format: 'csv', compression: 'gzip', payloads: true }).payloads).toBe(true);
  });

  it('is fetched through the plugin proxy, below the path of Grafana', () => {
    expect(downloadAddress('/api/v1/exports/downloads/abc', '/grafana')).toBe(
      '/grafana/api/plugin-proxy/gatelens-mcpaudit-app/api/exports/downloads/abc'
    );
  });
});
