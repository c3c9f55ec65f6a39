/** Parts of the @grafana packages that Grafana sets at start and that are not exported; see build-host.ts. */
declare module 'grafana-internal/plugin-page' {
  import type { PluginPageType } from '@grafana/runtime';
  export function setPluginPage(component: PluginPageType): void;
}
declare module 'grafana-internal/i18n' {
  export function initializeI18n(options: { language: string; ns: string[] }): Promise<unknown>;
}
declare module 'react-router-dom' {
  import type { ComponentType, ReactNode } from 'react';
  export const Router: ComponentType<{ history: unknown; children: ReactNode }>;
}
declare module 'systemjs/dist/system.js';
declare module 'systemjs/dist/extras/amd.js';
