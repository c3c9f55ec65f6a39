/** What Grafana loads: the app and its configuration behind lazy boundaries, so that this file stays small. */
import { AppPlugin, type AppPluginMeta, type PluginConfigPageProps } from '@grafana/data';
import { LoadingPlaceholder } from '@grafana/ui';
import { lazy, Suspense } from 'react';

const LazyApp = lazy(() => import('./app/App.tsx'));
const LazyConfiguration = lazy(() => import('./configuration/ConfigurationPage.tsx'));

function App() {
  return (
    <Suspense fallback={<LoadingPlaceholder text="" />}>
      <LazyApp />
    </Suspense>
  );
}

function Configuration(props: PluginConfigPageProps<AppPluginMeta>) {
  return (
    <Suspense fallback={<LoadingPlaceholder text="" />}>
      <LazyConfiguration {...props} />
    </Suspense>
  );
}

export const plugin = new AppPlugin()
  .setRootPage(App)
  .addConfigPage({ title: 'Configuration', icon: 'cog', body: Configuration, id: 'configuration' });
