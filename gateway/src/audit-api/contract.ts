/**
 * The contract of the audit API: its routes with their parameters and answers, from which the OpenAPI document is made.
 * Clients (the Grafana app, automation) import the types only. Says what goes in and out; decides nothing.
 * Names change only together with all their users.
 */
export * from './contract/call-routes.ts';
export * from './contract/export-routes.ts';
export * from './contract/export-schedule-routes.ts';
export { payloadSearchRoute, SEARCH_LIMITS } from './contract/payload-search.ts';
export * from './contract/settings-routes.ts';
export * from './contract/system-routes.ts';
export * from './contract/tool-changes.ts';
export * from './contract/usage-routes.ts';
export { BEARER } from './contract/route.ts';

export type { ExportCompression, ExportFormat } from '../exports/formats.ts';
export type { AccessLogEntry, AccessLogPage } from './contract/access-log.ts';
export type { Call, CallDetail, CallPage, HiddenBecause, User } from './contract/call.ts';
export type { ApiErrorBody, ApiErrorCode } from './contract/errors.ts';
export type { ExportEstimate, ExportManifest, ExportRun, ExportRunPage, ExportTicket } from './contract/export.ts';
export type {
  DestinationTest,
  ExportDestinationBody,
  ExportDestinationView,
  ExportOptions,
  ExportSchedule,
  ExportScheduleList,
  ExportTimingPreview,
} from './contract/export-schedule.ts';
export type { Facet, Facets } from './contract/facets.ts';
export type { FacetName } from './contract/filters.ts';
export type { Me, Role } from './contract/me.ts';
export type { CallPayload, PayloadPart } from './contract/payload.ts';
export type { SearchEnd, SearchHit, SearchMatch, SearchProgress, SearchStarted } from './contract/payload-search.ts';
export type { Session, SessionDetail, SessionPage } from './contract/session.ts';
export type { ConnectionLink, HealthReport, RoleSettings, Status } from './contract/settings.ts';
export type { TailEnd, TailReady, TailSkipped } from './contract/tail.ts';
export type { Timeline } from './contract/timeline.ts';
export type { Concurrency, UsageBucket, UsageOverTime } from './contract/usage-charts.ts';
export type {
  ClientUsage,
  UnusedItem,
  UsageClients,
  UsageServers,
  UsageTools,
  UsageUnused,
  UsageUsers,
} from './contract/usage-tables.ts';
export type { SavedView, SavedViewList } from './contract/view.ts';
export type { ServerUsage, ToolUsage, UsageSummary, UserServerUsage } from './contract/usage.ts';
