/**
 * What Grafana is given: files of the right shape, and the SQL of each panel, variable and rule on the real engine, as
 * `grafana_reader`, with macros expanded. The figures are counted by hand from sample-traffic.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestStore, startTestStore } from '../store/test-store.ts';
import { EXPECTED } from './expected-figures.ts';
import {
  type Dashboard,
  type Panel,
  type Rule,
  PROVISIONING,
  YAML_FILES,
  dashboards,
  rules,
  yamlFile,
} from './grafana-files.ts';
import { type Evaluation, expandMacros } from './grafana-macros.ts';
import { insertSample, sampleTimes } from './sample-traffic.ts';

const HOUR_MS = 3_600_000;
const boards = dashboards();
const all = rules();
const panels = boards.flatMap((board) =>
  board.panels.map((panel) => ({ board, panel, name: `${board.uid}: ${panel.title}` }))
);

const named = panels.map((one) => [one.name, one] as const);

/** The order of equals is the database's. */
const sorted = (rows: readonly object[]): object[] =>
  [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

type Row = Readonly<Record<string, string | number | null>>;

let store: TestStore;
const times = sampleTimes(Math.floor(Date.now() / 1000) * 1000);
beforeAll(async () => {
  store = await startTestStore({ migrated: true });
});
afterAll(() => store.stop());

async function run(sql: string): Promise<Row[]> {
  const settings = { output_format_json_quote_64bit_integers: 0 as const };
  const result = await store
    .client('grafana_reader')
    .query({ query: sql, format: 'JSONEachRow', clickhouse_settings: settings });
  return result.json<Row>();
}

function variablesOf(
  board: Dashboard,
  chosen: Readonly<Record<string, readonly string[]>> = {}
): Record<string, readonly string[]> {
  const names = board.templating.list.map((one): [string, readonly string[]] => [
    one.name,
    one.name === 'demo' ? ['false'] : [],
  ]);
  return { ...Object.fromEntries(names), ...chosen };
}

const hourBefore = (toMs: number): Evaluation => ({ fromMs: toMs - HOUR_MS, toMs });

async function panelRows(board: Dashboard, panel: Panel, evaluation: Evaluation): Promise<Row[]> {
  const variables = variablesOf(board, evaluation.variables);
  return run(expandMacros(panel.targets[0].rawSql, { ...evaluation, variables }));
}

/** Rows that would be alerts, by their labels, or what the rule says about having none. */
async function firing(rule: Rule, toMs: number): Promise<string[]> {
  const [query, condition] = rule.data;
  const fromMs = toMs - query.relativeTimeRange.from * 1000;
  const rows = await run(expandMacros(query.model.rawSql, { fromMs, toMs }));
  if (rows.length === 0) return rule.noDataState === 'Alerting' ? ['no data'] : [];
  const { type, params } = condition.model.conditions[0].evaluator;
  const fires = {
    gt: (v: number) => v > params[0],
    gte: (v: number) => v >= params[0],
    lt: (v: number) => v < params[0],
  };
  return rows
    .filter((row) => fires[type](row.value as number))
    .map((row) =>
      Object.entries(row)
        .flatMap(([name, text]) => (name === 'value' ? [] : [text]))
        .join(' ')
    );
}

const alerts = async (toMs: number): Promise<Record<string, string[]>> => {
  const found: Record<string, string[]> = {};
  for (const rule of all) {
    const labels = await firing(rule, toMs);
    if (labels.length > 0) found[rule.uid] = labels;
  }
  return found;
};

describe('the files', () => {
  it.each(Object.keys(YAML_FILES))('%s has the shape that Grafana takes', (name) => {
    expect(YAML_FILES[name]?.parse(yamlFile(name))).toBeDefined();
  });

  it('hold four dashboards whose panels have room and numbers of their own', () => {
    expect(boards.map((board) => board.uid).sort()).toEqual([
      'gatelens-itself',
      'gatelens-overview',
      'gatelens-server',
      'gatelens-tool',
    ]);
    for (const { uid, panels: own } of boards) {
      expect({ uid, ids: new Set(own.map((panel) => panel.id)).size }).toEqual({ uid, ids: own.length });
      expect({ uid, titles: new Set(own.map((panel) => panel.title)).size }).toEqual({ uid, titles: own.length });
      const cells = own.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`)
      );
      expect({ uid, overlap: cells.length - new Set(cells).size }).toEqual({ uid, overlap: 0 });
      expect(own.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
    }
  });

  it('link to pages and filters that exist', () => {
    const app = readFileSync(join(PROVISIONING, '../grafana-plugin/src/constants.ts'), 'utf8');
    const filters = readFileSync(join(PROVISIONING, '../grafana-plugin/src/url/call-filters.ts'), 'utf8');
    const known = [...(/FILTER_FIELDS = \[([^\]]+)\]/.exec(filters)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(
      (one) => one[1]
    );
    expect(known).toContain('server');
    const urls = [...JSON.stringify(boards).matchAll(/"url":"([^"]+)"/g)].map((one) => one[1] ?? '');
    expect(urls.length).toBeGreaterThan(15);
    for (const url of urls) {
      const page = /^\/a\/gatelens-mcpaudit-app\/([\w-]+)(?:\?(.*))?$/.exec(url);
      const names = [...(page?.[2] ?? url.split('?')[1] ?? '').matchAll(/(?:^|&)([\w-]+)=/g)].map(
        (one) => one[1] ?? ''
      );
      if (page === null) {
        const board = boards.find(({ uid }) => url.startsWith(`/d/${uid}?`));
        const ok = names.every(
          (name) => /^(from|to)$/.test(name) || board?.templating.list.some((one) => `var-${one.name}` === name)
        );
        expect({ url, ok }).toEqual({ url, ok: true });
      } else {
        expect(app).toContain(`'${page[1] ?? ''}'`);
        expect({ url, unknown: names.filter((name) => !['from', 'to', 'demo', ...known].includes(name)) }).toEqual({
          url,
          unknown: [],
        });
      }
    }
  });

  it('take columns for links and units that their query gives', () => {
    for (const { board, panel, name } of panels) {
      if (panel.type !== 'table') continue;
      const sql = expandMacros(panel.targets[0].rawSql, { ...hourBefore(times.nowMs), variables: variablesOf(board) });
      const columns = [...sql.matchAll(/ AS (\w+)/g)]
        .map((one) => one[1])
        .concat(['time', 'tools', 'component', 'missing', 'doubled', 'not_as_signed']);
      const used = [
        ...panel.fieldConfig.overrides.map((one) => one.matcher.options),
        ...[...JSON.stringify(panel).matchAll(/__data\.fields\.(\w+)/g)].map((one) => one[1] ?? ''),
      ];
      expect({ name, missing: used.filter((one) => !columns.includes(one)) }).toEqual({ name, missing: [] });
    }
  });

  it('name panels that exist in the rules, with labels that the query gives', () => {
    expect(new Set(all.map((rule) => rule.uid)).size).toBe(all.length);
    for (const rule of all) {
      const board = boards.find(({ uid }) => uid === rule.dashboardUid);
      expect({ rule: rule.uid, panel: board?.panels.some(({ id }) => id === rule.panelId) }).toEqual({
        rule: rule.uid,
        panel: true,
      });
      const labels = [...`${rule.annotations.summary}${rule.annotations.description}`.matchAll(/\$labels\.(\w+)/g)].map(
        (one) => one[1] ?? ''
      );
      const { rawSql } = rule.data[0].model;
      expect({ rule: rule.uid, unknown: labels.filter((name) => !new RegExp(`\\b${name}\\b`).test(rawSql)) }).toEqual({
        rule: rule.uid,
        unknown: [],
      });
    }
  });

  it('ask the views without users only, and name no person', () => {
    const sqls = [
      ...panels.map(({ panel }) => panel.targets[0].rawSql),
      ...boards.flatMap((board) =>
        board.templating.list.flatMap((one) => (one.type === 'query' ? [one.query.rawSql] : []))
      ),
      ...all.map((rule) => rule.data[0].model.rawSql),
    ];
    for (const sql of sqls) {
      const tables = [...sql.matchAll(/\bmcp\w*\.\w+/g)].map((one) => one[0]);
      expect(tables.length).toBeGreaterThan(0);
      expect(tables.filter((table) => !table.startsWith('mcp.grafana_'))).toEqual([]);
      expect(sql).not.toMatch(/user|session|address|payload_events|principals/);
    }
  });
});

describe('without any data', () => {
  it.each(named)('%s has no error and no figure', async (_name, { board, panel }) => {
    const rows = await panelRows(board, panel, hourBefore(times.nowMs));
    const figures = rows.flatMap((row) => Object.values(row)).filter((value) => value !== null && value !== 0);
    expect(figures).toEqual([]);
  });

  it('alerts where silence is bad', async () => {
    expect(await alerts(times.nowMs)).toEqual({
      'gatelens-audit-loss': ['no data'],
      'gatelens-gateway-silent': [''],
      'gatelens-audit-api-silent': [''],
      'gatelens-spool-backlog': ['no data'],
      'gatelens-delivery': ['no data'],
      'gatelens-chain-broken': ['no data'],
    });
  });
});

describe('with the sample', () => {
  beforeAll(() => insertSample(store, times));

  it.each(named)('%s gives the right figures', async (name, { board, panel }) => {
    const rows = await panelRows(board, panel, hourBefore(times.knownEndMs));
    const inRange = (value: unknown): boolean => {
      const ms = typeof value === 'string' ? Date.parse(`${value.replace(' ', 'T')}Z`) : Number.NaN;
      return ms >= times.knownEndMs - HOUR_MS && ms <= times.knownEndMs;
    };
    const seen = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([column, value]) => {
          if (column === 'time' || column === 'reported') return [column, inRange(value)];
          return [column, typeof value === 'number' ? Math.round(value * 1000) / 1000 : value];
        })
      )
    );
    expect({ name, rows: sorted(seen) }).toEqual({ name, rows: sorted(EXPECTED[name] ?? []) });
    expect(EXPECTED).toHaveProperty([name]);
  });

  it('filters by server and tool', async () => {
    const board = boards.find(({ uid }) => uid === 'gatelens-tool')!;
    const [requests] = board.panels as [Panel, ...Panel[]];
    const count = async (variables: Record<string, readonly string[]>): Promise<unknown> =>
      (await panelRows(board, requests, { ...hourBefore(times.knownEndMs), variables }))[0]?.requests;
    expect(await count({})).toBe(40);
    expect(await count({ server: ['docs'] })).toBe(20);
    expect(await count({ server: ['docs', 'files'], tool: ['read'] })).toBe(20);
    expect(await count({ server: [`it's`] })).toBe(0);
    expect(await count({ demo: ['true'] })).toBe(2);
  });

  it('offers the servers and tools that there are', async () => {
    const board = boards.find(({ uid }) => uid === 'gatelens-tool')!;
    const offered: Record<string, unknown[]> = {};
    for (const variable of board.templating.list) {
      if (variable.type !== 'query') continue;
      const rows = await run(
        expandMacros(variable.query.rawSql, { ...hourBefore(times.nowMs), variables: variablesOf(board) })
      );
      offered[variable.name] = rows.map((row) => Object.values(row)[0]);
    }
    expect(offered).toEqual({ server: ['docs', 'files'], tool: ['read', 'search'] });
  });

  it('alerts of what is wrong, and of nothing else', async () => {
    expect(await alerts(times.knownEndMs)).toEqual({
      'gatelens-error-rate': ['docs'],
      'gatelens-tool-drift': ['docs'],
      'gatelens-audit-loss': ['gateway gw'],
      'gatelens-set-aside': ['gateway gw'],
      'gatelens-spool-backlog': ['gateway gw'],
      'gatelens-chain-broken': ['gateway gw'],
      'gatelens-new-auditor': [''],
      'gatelens-mapping-changed': ['refused'],
      'gatelens-refused-reads': [''],
    });
  });

  it('alerts of a process that fell silent, of late records and of a verification that is overdue', async () => {
    const later = times.knownEndMs + 10 * 60_000;
    const found = await alerts(later);
    expect(found['gatelens-process-silent']?.sort()).toEqual(['audit-api api', 'gateway gw']);
    expect(found['gatelens-gateway-silent']).toEqual(['']);
    const admin = store.client('gatelens_admin');
    const at = (ms: number): string => new Date(ms).toISOString().replace('Z', '');
    await admin.insert({
      table: 'mcp.health',
      format: 'JSONEachRow',
      values: [
        {
          component: 'gateway',
          chain_id: 'late',
          at: at(times.nowMs - 30_000),
          ingested_at: at(times.nowMs + 200_000),
        },
      ],
    });
    expect(await alerts(times.nowMs)).toMatchObject({
      'gatelens-delivery': ['gateway late'],
      'gatelens-not-verified': ['gateway late'],
    });
  });
});

describe('where everything was denied', () => {
  it('counts requests but no error, and each refusal once', async () => {
    const [overview] = boards.filter(({ uid }) => uid === 'gatelens-overview') as [Dashboard];
    const figure = async (title: string): Promise<Row[]> => {
      const panel = overview.panels.find((one) => one.title === title)!;
      return panelRows(overview, panel, hourBefore(times.deniedEndMs));
    };
    expect(await figure('Requests')).toEqual([{ requests: 25 }]);
    expect(await figure('Error rate')).toEqual([{ error_rate: 0 }]);
    expect(await figure('Denied')).toEqual([{ denied: 50 }]);
    expect(sorted(await figure('Denied, by gate'))).toEqual([
      { gate: 'authentication', server: 'docs', denied: 25 },
      { gate: 'policy', server: 'docs', denied: 25 },
    ]);
    expect(await figure('Servers')).toMatchObject([{ server: 'docs', requests: 25, errors: 0, error_rate: 0 }]);
  });

  it.each(named)('%s runs', async (_name, { board, panel }) => {
    const rows = await panelRows(board, panel, hourBefore(times.deniedEndMs));
    const rates = rows.flatMap((row) => ('error_rate' in row ? [row.error_rate] : []));
    expect(rates.filter((rate) => rate !== 0)).toEqual([]);
  });

  it('alerts of the spike, not of errors', async () => {
    const found = await alerts(times.deniedEndMs);
    expect(found['gatelens-denials']).toEqual(['']);
    expect(found).not.toHaveProperty('gatelens-error-rate');
    expect(found).not.toHaveProperty('gatelens-p95');
  });
});
