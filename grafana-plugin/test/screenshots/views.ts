/**
 * What is photographed: each page in each state, and who looks at it. Paths ask for demo data, so that no picture shows
 * anybody who exists.
 */

import type { GrafanaUser } from '../browser/grafana-user.ts';
import {
  newSchedule,
  openExport,
  openOneOff,
  openSchedule,
  scheduleWhen,
  scheduleWhere,
  searchPayloads,
} from './steps.ts';

export type ApiState = 'filled' | 'empty' | 'loading' | 'error';

export interface View {
  readonly name: string;
  /** below the plugin's path; `configuration` is the plugin's own page in Grafana */
  readonly path: string;
  readonly logins: readonly string[];
  readonly api?: ApiState;
  /** opens the first row, at this tab */
  readonly tab?: string;
  /** what is done on the page before the picture is taken */
  readonly open?: (user: GrafanaUser) => Promise<void>;
  /** also for README and docs, under this name, as the last of the logins sees it, dark, 1280 pixels wide */
  readonly docs?: string;
}

const WEEK = 'demo=true&from=now-7d&to=now';
const NOTHING = 'from=now-30d&to=now-29d';
const EVERY_ROLE = ['ana', 'erik', 'olga', 'vera', 'lin', 'anonymous'];
/** Auditor and Admin: sees all that there is. */
const ALL = ['marc'];

export const VIEWS: readonly View[] = [
  { name: 'audit-logs', path: `audit-logs?${WEEK}`, logins: [...EVERY_ROLE, ...ALL], docs: 'audit-logs' },
  { name: 'audit-logs-filtered', path: `audit-logs?${WEEK}&server=filesystem&notOutcome=success`, logins: ALL },
  { name: 'audit-logs-live', path: 'audit-logs?live=true', logins: ALL },
  { name: 'audit-logs-empty', path: `audit-logs?${NOTHING}`, logins: ALL },
  { name: 'audit-logs-loading', path: `audit-logs?${WEEK}`, logins: ALL, api: 'loading' },
  { name: 'audit-logs-error', path: `audit-logs?${WEEK}`, logins: ALL, api: 'error' },
  { name: 'call-overview', path: 'audit-logs?operation=tools/call', logins: ['olga'], tab: 'Overview' },
  { name: 'call-request', path: 'audit-logs?operation=tools/call', logins: ['olga', 'lin', 'vera'], tab: 'Request' },
  {
    name: 'call-response',
    path: 'audit-logs?tool=get-structured-content&outcome=success',
    logins: ['vera'],
    tab: 'Response',
    docs: 'call-response',
  },
  { name: 'call-headers', path: 'audit-logs?operation=tools/call', logins: ['vera'], tab: 'Headers' },
  { name: 'call-session', path: 'audit-logs?operation=tools/call', logins: ['vera'], tab: 'Session' },
  { name: 'call-raw', path: 'audit-logs?operation=tools/call', logins: ['vera'], tab: 'Raw' },
  { name: 'usage', path: `usage?${WEEK}`, logins: [...EVERY_ROLE, ...ALL], docs: 'usage' },
  { name: 'usage-empty', path: `usage?${NOTHING}`, logins: ALL },
  { name: 'usage-loading', path: `usage?${WEEK}`, logins: ALL, api: 'loading' },
  { name: 'usage-error', path: `usage?${WEEK}`, logins: ALL, api: 'error' },
  { name: 'sessions', path: `sessions?${WEEK}`, logins: [...EVERY_ROLE, ...ALL] },
  { name: 'sessions-empty', path: `sessions?${NOTHING}`, logins: ALL },
  { name: 'sessions-loading', path: `sessions?${WEEK}`, logins: ALL, api: 'loading' },
  { name: 'sessions-error', path: `sessions?${WEEK}`, logins: ALL, api: 'error' },
  { name: 'export', path: `audit-logs?${WEEK}&server=filesystem`, logins: ['olga', ...ALL], open: openExport },
  { name: 'payload-search', path: 'audit-logs?server=filesystem', logins: ALL, open: searchPayloads },
  { name: 'exports', path: 'exports', logins: [...EVERY_ROLE, ...ALL] },
  { name: 'exports-empty', path: 'exports', logins: ALL, api: 'empty' },
  { name: 'exports-new', path: 'exports', logins: ['olga', ...ALL], open: newSchedule },
  { name: 'exports-where', path: 'exports', logins: ALL, open: scheduleWhere },
  { name: 'exports-when', path: 'exports', logins: ALL, open: scheduleWhen },
  { name: 'exports-history', path: 'exports', logins: ['olga', ...ALL], open: openSchedule },
  { name: 'exports-one-off', path: 'exports', logins: ALL, open: openOneOff },
  { name: 'exports-loading', path: 'exports', logins: ALL, api: 'loading' },
  { name: 'exports-error', path: 'exports', logins: ALL, api: 'error' },
  { name: 'access-log', path: 'access-log', logins: [...EVERY_ROLE, ...ALL] },
  { name: 'access-log-empty', path: `access-log?${NOTHING}`, logins: ALL },
  { name: 'access-log-error', path: 'access-log', logins: ALL, api: 'error' },
  { name: 'configuration', path: 'configuration', logins: ['ana', 'olga'], docs: 'configuration' },
  { name: 'configuration-error', path: 'configuration', logins: ['olga'], api: 'error' },
];
