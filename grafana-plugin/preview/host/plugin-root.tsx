/** Loads the built plugin as Grafana's loader would, and shows its page or its configuration. */
import { PluginContextProvider, PluginType, type AppPlugin, type AppPluginMeta } from '@grafana/data';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, LoadingPlaceholder } from '@grafana/ui';
import { useEffect, useState } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router-dom-v5-compat';
import { boot } from './boot.ts';
import { PageShell } from './page-shell.tsx';
import { importPlugin } from './shared-modules.ts';

const { id, name, version } = boot.standIn.plugin;

interface Settings {
  readonly enabled: boolean;
  readonly pinned: boolean;
  readonly jsonData: Record<string, unknown>;
  readonly secureJsonFields: Record<string, boolean>;
}

async function load(): Promise<AppPlugin> {
  const [module, settings] = await Promise.all([
    importPlugin(id) as Promise<{ readonly plugin: AppPlugin }>,
    getBackendSrv().get<Settings>(`/api/plugins/${id}/settings`),
  ]);
  const { plugin } = module;
  const meta: AppPluginMeta = {
    id,
    name,
    type: PluginType.app,
    module: `public/plugins/${id}/module.js`,
    baseUrl: `public/plugins/${id}`,
    info: { version } as AppPluginMeta['info'],
    ...settings,
  };
  plugin.meta = meta;
  plugin.init(meta);
  return plugin;
}

export function PluginRoot() {
  const [plugin, setPlugin] = useState<AppPlugin>();
  const [failed, setFailed] = useState<string>();
  const { pathname, search } = useLocation();
  useEffect(() => {
    load().then(setPlugin, (error: unknown) => setFailed(String(error)));
  }, []);
  if (failed !== undefined) return <Alert title="The plugin did not load">{failed}</Alert>;
  if (plugin === undefined) return <LoadingPlaceholder text="Loading the plugin" />;
  const query = Object.fromEntries(new URLSearchParams(search));
  const Root = plugin.root;
  // as Grafana still passes them, deprecated ones too
  const rootProps = { meta: plugin.meta, basename: `/a/${id}`, path: pathname, query, onNavChanged: () => undefined };
  const Configuration = plugin.configPages?.[0]?.body;
  return (
    <PluginContextProvider meta={plugin.meta}>
      <Routes>
        {Root !== undefined && <Route path={`/a/${id}/*`} element={<Root {...rootProps} />} />}
        {Configuration !== undefined && (
          <Route
            path={`/plugins/${id}`}
            element={
              <PageShell pageNav={{ text: name }}>
                <Configuration plugin={plugin} query={query} />
              </PageShell>
            }
          />
        )}
        <Route path="*" element={<Navigate to={`/a/${id}`} replace />} />
      </Routes>
    </PluginContextProvider>
  );
}
