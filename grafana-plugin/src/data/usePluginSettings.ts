/** The plugin's own settings in Grafana: the address of the audit API and the secret of the route. Nothing else is there. */
import { getBackendSrv } from '@grafana/runtime';
import { useMutation, useQuery } from '@tanstack/react-query';
import { lastValueFrom } from 'rxjs';
import { toApiFailure } from './api-failure.ts';

/** `jsonData` of the plugin; decides no rights. */
export interface PluginJsonData {
  readonly apiUrl?: string;
}

interface StoredSettings {
  readonly enabled: boolean;
  readonly pinned: boolean;
  readonly jsonData?: PluginJsonData | null;
  readonly secureJsonFields?: Readonly<Record<string, boolean>>;
}

export interface ConnectionSettings {
  readonly apiUrl: string;
  /** undefined: as it is */
  readonly routeSecret: string | undefined;
}

const settingsUrl = (pluginId: string): string => `/api/plugins/${pluginId}/settings`;

export function usePluginSettings(pluginId: string) {
  return useQuery({
    queryKey: ['plugin-settings', pluginId],
    queryFn: () => ask<StoredSettings>({ url: settingsUrl(pluginId), method: 'GET' }),
  });
}

export function useSavePluginSettings(pluginId: string, stored: StoredSettings | undefined) {
  return useMutation({
    mutationFn: ({ apiUrl, routeSecret }: ConnectionSettings) =>
      ask({
        url: settingsUrl(pluginId),
        method: 'POST',
        data: {
          enabled: stored?.enabled ?? true,
          pinned: stored?.pinned ?? true,
          jsonData: { ...stored?.jsonData, apiUrl },
          ...(routeSecret === undefined ? {} : { secureJsonData: { routeSecret } }),
        },
      }),
  });
}

async function ask<T>(asked: { url: string; method: string; data?: unknown }): Promise<T> {
  try {
    return (await lastValueFrom(getBackendSrv().fetch<T>({ ...asked, showErrorAlert: false, showSuccessAlert: false })))
      .data;
  } catch (error) {
    throw toApiFailure(error);
  }
}
