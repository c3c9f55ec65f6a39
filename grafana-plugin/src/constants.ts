/** Names that more than one part of the plugin needs. */
export const PLUGIN_ID = 'gatelens-mcpaudit-app';

/** Where Grafana's plugin proxy reaches the audit API; routes of plugin.json. */
export const API_BASE = `/api/plugin-proxy/${PLUGIN_ID}/api`;

export const PAGES = {
  auditLogs: 'audit-logs',
  usage: 'usage',
  sessions: 'sessions',
  exports: 'exports',
  accessLog: 'access-log',
} as const;

export function pagePath(page: (typeof PAGES)[keyof typeof PAGES]): string {
  return `/a/${PLUGIN_ID}/${page}`;
}
