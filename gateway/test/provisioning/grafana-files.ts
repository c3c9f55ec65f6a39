/**
 * Reads what is provisioned into Grafana and holds it against strict schemas of ours: the members that Grafana 13 and its
 * ClickHouse data source document and that we use. For dashboards Grafana publishes types
 * (provisioning/dashboard-types.test.ts holds them); for the rest nothing, so a member that is mistyped or new to us is
 * refused here rather than ignored there.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import * as z from 'zod';

export const PROVISIONING = fileURLToPath(new URL('../../../provisioning', import.meta.url));

const color = z.strictObject({
  mode: z.enum(['palette-classic', 'thresholds', 'fixed']),
  fixedColor: z.string().optional(),
});
const thresholds = z.strictObject({
  mode: z.literal('absolute'),
  steps: z
    .array(z.strictObject({ color: z.string(), value: z.number().nullable() }))
    .refine((steps) => steps[0]?.value === null, 'the first step has the value null'),
});
const link = z.strictObject({ title: z.string(), url: z.string().startsWith('/'), targetBlank: z.boolean() });
const clickhouse = z.strictObject({
  type: z.literal('grafana-clickhouse-datasource'),
  uid: z.literal('gatelens-clickhouse'),
});
/** What @grafana/data knows as units, as far as used. */
const unit = z.enum(['short', 'percentunit', 'ms', 's', 'bytes']);

const PROPERTIES: Readonly<Record<string, z.ZodType>> = {
  unit,
  thresholds,
  color,
  decimals: z.number(),
  links: z.array(link),
  'custom.cellOptions': z.strictObject({ type: z.literal('color-text') }),
};

const override = z.strictObject({
  matcher: z.strictObject({ id: z.literal('byName'), options: z.string() }),
  properties: z.array(
    z
      .strictObject({ id: z.string(), value: z.unknown() })
      .refine(({ id, value }) => PROPERTIES[id]?.safeParse(value).success)
  ),
});

const target = z.discriminatedUnion('queryType', [
  z.strictObject({ ...queryMembers(), queryType: z.literal('timeseries'), format: z.literal(0) }),
  z.strictObject({ ...queryMembers(), queryType: z.literal('table'), format: z.literal(1) }),
]);
function queryMembers() {
  return {
    refId: z.string(),
    datasource: clickhouse,
    editorType: z.literal('sql'),
    rawSql: z.string(),
    pluginVersion: z.string(),
  };
}

const panelSchema = z.strictObject({
  id: z.int(),
  type: z.enum(['stat', 'timeseries', 'table']),
  title: z.string(),
  description: z.string(),
  gridPos: z.strictObject({
    x: z.int().min(0).max(23),
    y: z.int().min(0),
    w: z.int().min(1).max(24),
    h: z.int().min(3),
  }),
  datasource: clickhouse,
  targets: z.tuple([target]),
  interval: z.literal('1m').optional(),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit,
      color,
      thresholds,
      mappings: z.tuple([]),
      custom: z.record(z.string(), z.unknown()).optional(),
      links: z.array(link).optional(),
      noValue: z.string().optional(),
    }),
    overrides: z.array(override),
  }),
  options: z.record(z.string(), z.unknown()),
});

const queryVariable = z.looseObject({
  type: z.literal('query'),
  name: z.string(),
  datasource: clickhouse,
  query: z.strictObject({ editorType: z.literal('sql'), rawSql: z.string(), refId: z.string() }),
  multi: z.literal(true),
  includeAll: z.literal(true),
});
const customVariable = z.looseObject({ type: z.literal('custom'), name: z.string(), query: z.string() });

const dashboardSchema = z.looseObject({
  uid: z.string().regex(/^gatelens-[a-z]+$/),
  title: z.string().startsWith('Gatelens: '),
  schemaVersion: z.literal(41),
  editable: z.literal(false),
  tags: z.tuple([z.literal('gatelens')]),
  templating: z.strictObject({ list: z.array(z.discriminatedUnion('type', [queryVariable, customVariable])) }),
  links: z.array(z.looseObject({ type: z.enum(['link', 'dashboards']), url: z.string() })),
  panels: z.array(panelSchema),
});
export type Dashboard = z.output<typeof dashboardSchema>;
export type Panel = Dashboard['panels'][number];

const noData = z.enum(['NoData', 'Alerting', 'OK', 'KeepLast']);
const window = z.strictObject({ from: z.int().min(60), to: z.literal(0) });
const expression = z.strictObject({ type: z.literal('__expr__'), uid: z.literal('__expr__') });

const ruleSchema = z.strictObject({
  uid: z.string().regex(/^gatelens-[a-z0-9-]{1,31}$/),
  title: z.string(),
  condition: z.literal('C'),
  for: z.string().regex(/^\d+[smh]$/),
  noDataState: noData,
  execErrState: z.enum(['Error', 'Alerting', 'OK', 'KeepLast']),
  dashboardUid: z.string(),
  panelId: z.int(),
  labels: z.strictObject({ severity: z.enum(['warning', 'critical']), product: z.literal('gatelens') }),
  annotations: z.strictObject({ summary: z.string(), description: z.string() }),
  data: z.tuple([
    z.strictObject({
      refId: z.literal('A'),
      relativeTimeRange: window,
      datasourceUid: z.literal('gatelens-clickhouse'),
      model: z.strictObject({
        refId: z.literal('A'),
        datasource: clickhouse,
        editorType: z.literal('sql'),
        queryType: z.literal('table'),
        format: z.literal(1),
        rawSql: z.string(),
        intervalMs: z.int(),
        maxDataPoints: z.int(),
      }),
    }),
    z.strictObject({
      refId: z.literal('C'),
      relativeTimeRange: window,
      datasourceUid: z.literal('__expr__'),
      model: z.strictObject({
        refId: z.literal('C'),
        type: z.literal('threshold'),
        expression: z.literal('A'),
        datasource: expression,
        conditions: z.tuple([
          z.strictObject({
            evaluator: z.strictObject({ type: z.enum(['gt', 'gte', 'lt']), params: z.tuple([z.number()]) }),
          }),
        ]),
      }),
    }),
  ]),
});
export type Rule = z.output<typeof ruleSchema>;

const apiVersion = z.literal(1);
const orgId = z.int();
const rulesSchema = z.strictObject({
  apiVersion,
  groups: z.array(
    z.strictObject({
      orgId,
      name: z.string(),
      folder: z.string(),
      interval: z.string().regex(/^\d+m$/),
      rules: z.array(ruleSchema),
    })
  ),
});
const matcher = z.tuple([z.string(), z.enum(['=', '!=', '=~', '!~']), z.string()]);
const timing = {
  group_wait: z.string().optional(),
  group_interval: z.string().optional(),
  repeat_interval: z.string(),
};

/** file → its schema */
export const YAML_FILES: Readonly<Record<string, z.ZodType>> = {
  'alerting/rules.yaml': rulesSchema,
  'alerting/contact-points.yaml': z.strictObject({
    apiVersion,
    contactPoints: z.array(
      z.strictObject({
        orgId,
        name: z.literal('gatelens'),
        receivers: z.array(
          z.discriminatedUnion('type', [
            z.strictObject({
              uid: z.string(),
              type: z.literal('webhook'),
              settings: z.strictObject({ url: z.string(), httpMethod: z.enum(['POST', 'PUT']) }),
            }),
            z.strictObject({
              uid: z.string(),
              type: z.literal('email'),
              settings: z.strictObject({ addresses: z.string(), singleEmail: z.boolean() }),
            }),
          ])
        ),
      })
    ),
  }),
  'alerting/policies.yaml': z.strictObject({
    apiVersion,
    policies: z.array(
      z.strictObject({
        orgId,
        receiver: z.literal('gatelens'),
        group_by: z.array(z.string()),
        ...timing,
        routes: z.array(
          z.strictObject({ receiver: z.literal('gatelens'), object_matchers: z.array(matcher), ...timing })
        ),
      })
    ),
  }),
  'dashboards/gatelens.yaml': z.strictObject({
    apiVersion,
    providers: z.tuple([
      z.strictObject({
        name: z.string(),
        orgId,
        folder: z.string(),
        folderUid: z.string(),
        type: z.literal('file'),
        disableDeletion: z.boolean(),
        allowUiUpdates: z.boolean(),
        updateIntervalSeconds: z.int(),
        options: z.strictObject({ path: z.string() }),
      }),
    ]),
  }),
  'datasources/clickhouse.yaml': z.strictObject({
    apiVersion,
    prune: z.boolean(),
    datasources: z.tuple([
      z.strictObject({
        name: z.string(),
        uid: z.literal('gatelens-clickhouse'),
        orgId,
        type: z.literal('grafana-clickhouse-datasource'),
        access: z.literal('proxy'),
        editable: z.literal(false),
        jsonData: z.strictObject({
          host: z.string(),
          port: z.string(),
          protocol: z.literal('http'),
          secure: z.boolean(),
          username: z.literal('grafana_reader'),
          defaultDatabase: z.literal('mcp'),
          dialTimeout: z.string(),
          queryTimeout: z.string(),
        }),
        secureJsonData: z.strictObject({ password: z.literal('$CLICKHOUSE_READER_PASSWORD') }),
      }),
    ]),
  }),
  'plugins/gatelens.yaml': z.strictObject({
    apiVersion,
    apps: z.tuple([
      z.strictObject({
        type: z.literal('gatelens-mcpaudit-app'),
        org_id: orgId,
        disabled: z.literal(false),
        jsonData: z.strictObject({ apiUrl: z.literal('$GATELENS_AUDIT_API_URL') }),
        secureJsonData: z.strictObject({ routeSecret: z.literal('$GATELENS_ROUTE_SECRET') }),
      }),
    ]),
  }),
};

export function yamlFile(name: string): unknown {
  return parse(readFileSync(join(PROVISIONING, name), 'utf8'));
}

export function dashboards(): Dashboard[] {
  const folder = join(PROVISIONING, 'dashboards');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => dashboardSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
}

export function rules(): Rule[] {
  return rulesSchema.parse(yamlFile('alerting/rules.yaml')).groups.flatMap((group) => group.rules);
}
