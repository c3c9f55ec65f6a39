/**
 * `/settings/status`: tests each link of the chain at the moment it is asked, and says in words what to do about one that
 * fails. Tells what the pipeline reports of itself, what is kept how long, and how many people can find their own calls.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { principalOfKey } from '../../access/identity.ts';
import type { HealthRow } from '../../store/queries/health.ts';
import { callingUsers, holdsInForce, latestHealth, storeSize } from '../../store/queries/health.ts';
import type { LegalHold } from '../../store/legal-holds.ts';
import type { ConnectionLink, HealthReport, Status } from '../contract.ts';
import { statusRoute } from '../contract.ts';
import type { ApiEnv, GrafanaSettings, RouteDeps } from '../deps.ts';
import type { Directory } from '../grafana/directory.ts';
import { DirectoryUnavailable } from '../grafana/directory.ts';
import { requireSettings } from '../require-settings.ts';
import { formatInstant } from '../time-range.ts';
import type { ApiCaller } from '../visibility.ts';

const DAY_MS = 86_400_000;
/** A component reports every 15 s. */
const SILENT_MS = 60_000;
const KEYS_TIMEOUT_MS = 5000;

export function registerStatus(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(statusRoute, async (c) => {
    await requireSettings(c, deps, 'read', 'settings.read');
    const visibility = c.get('visibility');
    const { signal } = c.req.raw;
    const [keys, directory, health, size, holds] = await Promise.all([
      keysLink(deps.grafana),
      askDirectory(deps),
      latestHealth(deps.store, visibility, { signal }),
      storeSize(deps.store, visibility, { signal }),
      holdsInForce(deps.store, visibility),
    ]);
    const known = directory.users === undefined ? undefined : keysOf(directory.users, deps);
    const components = health.map(reportOf);
    const status: Status = {
      version: deps.version,
      links: [userLink(c.get('caller')), keys, directory.link, storeLink(size.calls), spoolLink(components, deps)],
      retentionDays: {
        metadata: days(deps.retention.metadata),
        payloads: days(deps.retention.payloads),
        accessLog: days(deps.retention.accessLog),
        usage: days(deps.retention.usage),
        traces: days(deps.retention.traces),
      },
      holds: holds.map(holdView),
      components,
      users: known === undefined ? null : await callingUsers(deps.store, visibility, known, { signal }),
      store: { calls: size.calls, bytesOnDisk: size.bytes },
    };
    return c.json(status, 200);
  });
}

function userLink({ kind }: ApiCaller): ConnectionLink {
  if (kind === 'grafana') {
    const message =
      'The secret of the route and your signed token are right, so Grafana and the audit API know each other.';
    return { link: 'grafana_user', state: 'ok', message };
  }
  return { link: 'grafana_user', state: 'not_used', message: 'You did not come through Grafana.' };
}

async function keysLink(grafana: GrafanaSettings | undefined): Promise<ConnectionLink> {
  const link = 'signing_keys';
  if (grafana === undefined) return { link, state: 'not_used', message: 'auditApi.grafana is not configured.' };
  const failed = {
    link,
    state: 'failed',
    message: 'Grafana’s signing keys cannot be read. The audit API must reach auditApi.grafana.jwksUrl.',
  } as const;
  try {
    const answer = await fetch(grafana.jwksUrl, { redirect: 'manual', signal: AbortSignal.timeout(KEYS_TIMEOUT_MS) });
    await answer.body?.cancel();
    return answer.status === 200 ? { link, state: 'ok', message: 'Grafana’s signing keys can be read.' } : failed;
  } catch {
    return failed;
  }
}

async function askDirectory({
  grafana,
  grafanaRoles,
}: RouteDeps): Promise<{ readonly link: ConnectionLink; readonly users?: Directory['users'] }> {
  const link = 'teams';
  if (grafanaRoles?.directory === undefined) {
    const message =
      grafana === undefined
        ? 'auditApi.grafana is not configured.'
        : 'No service account: set auditApi.grafana.serviceAccountToken, or nobody becomes an Auditor by a team.';
    return { link: { link, state: grafana === undefined ? 'not_used' : 'failed', message } };
  }
  try {
    const { users, teams } = await grafanaRoles.directory.readAnew();
    const missing = missingTeams(grafanaRoles.roles.current().mapping.auditorTeams, teams);
    const known = `${users.length} users and ${teams.length} teams are known.`;
    const message = missing.length === 0 ? known : `${known} These Auditor teams do not exist: ${missing.join(', ')}.`;
    return { link: { link, state: missing.length === 0 ? 'ok' : 'failed', message }, users };
  } catch (error) {
    return { link: { link, state: 'failed', message: directoryProblem(error) } };
  }
}

function missingTeams(mapped: readonly { readonly team: string }[], teams: Directory['teams']): string[] {
  return mapped.map(({ team }) => team).filter((team) => !teams.some(({ name }) => name === team));
}

function directoryProblem(error: unknown): string {
  const status = error instanceof DirectoryUnavailable ? error.status : undefined;
  if (status === 401) return 'Grafana does not know the service account token. Make a new one.';
  if (status === 403) return 'The service account may not read users and teams. Give it the role Admin.';
  return 'Grafana’s API does not answer as expected. The audit API must reach auditApi.grafana.url.';
}

/** User keys under which members of the organisation could find own calls; the e-mail counts for them only if vouched for. */
function keysOf(users: Directory['users'], { grafana, pseudonyms }: RouteDeps): string[] {
  const named = (grafana?.identities ?? []).map(({ user }) => user);
  const claimed = users.map((user) => (grafana?.identityClaim === 'login' ? user.login : user.email));
  const subjects = [...named, ...claimed].filter((text) => text !== '').map((text) => principalOfKey('', text).subject);
  return [...new Set(subjects.map((subject) => pseudonyms.hash('user', subject)))];
}

/** Here only when it did answer: one that does not makes the whole answer a 503. */
function storeLink(calls: number): ConnectionLink {
  return { link: 'store', state: 'ok', message: `The store answers and has ${calls} calls.` };
}

function spoolLink(components: readonly HealthReport[], { clock }: RouteDeps): ConnectionLink {
  const link = 'spool';
  const gateways = components.filter(({ component }) => component === 'gateway');
  if (gateways.length === 0) {
    return {
      link,
      state: 'failed',
      message: 'No gateway reported in the last 24 hours. Start one, or look at its log.',
    };
  }
  const lost = gateways.reduce((sum, one) => sum + one.lost, 0);
  if (lost > 0)
    return { link, state: 'failed', message: `${lost} records could not be kept. Look at the log of the gateway.` };
  const latestMs = Math.max(...gateways.map(({ at }) => Date.parse(at)));
  if (clock.wallMs() - latestMs > SILENT_MS) {
    return {
      link,
      state: 'failed',
      message: 'The gateway reported last a while ago. It is stopped, or its records do not arrive.',
    };
  }
  return { link, state: 'ok', message: 'Records are kept and arrive.' };
}

function reportOf(row: HealthRow): HealthReport {
  return {
    component: row.component,
    gatewayId: row.chain_id,
    at: formatInstant(BigInt(row.at_ns)),
    seen: Number(row.seen_n),
    recorded: Number(row.recorded_n),
    shipped: Number(row.shipped_n),
    lost: Number(row.lost_n),
    refused: Number(row.refused_n),
    attemptsLeftOut: Number(row.attempts_n),
    payloadsTruncated: Number(row.truncated_n),
    payloadsFailed: Number(row.failed_n),
    setAside: Number(row.set_aside_n),
    spoolBytes: Number(row.spool_n),
    oldestUnshippedAt: instantOrNull(row.oldest_ns),
    lastVerifiedAt: instantOrNull(row.verified_ns),
  };
}

function holdView(hold: LegalHold): Status['holds'][number] {
  const instant = (ms: number): string | null => (ms === 0 ? null : formatInstant(BigInt(ms) * 1_000_000n));
  return {
    id: hold.id,
    reason: hold.reason,
    setBy: hold.setBy,
    setAt: formatInstant(BigInt(hold.setAtMs) * 1_000_000n),
    covers: hold.userKey === '' ? 'everybody' : 'one person',
    server: hold.server === '' ? null : hold.server,
    from: instant(hold.fromMs),
    to: instant(hold.toMs),
  };
}

function instantOrNull(ns: string): string | null {
  return ns === '0' ? null : formatInstant(BigInt(ns));
}

function days(ms: number): number {
  return Math.round(ms / DAY_MS);
}
