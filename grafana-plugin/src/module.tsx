/** What Grafana loads: the app behind a lazy boundary, so that this file stays small. */
import { AppPlugin } from '@grafana/data';
import { LoadingPlaceholder } from '@grafana/ui';
import { lazy, Suspense } from 'react';

const LazyApp = lazy(() => import('./app/App.tsx'));

function App() {
  return (
    <Suspense fallback={<LoadingPlaceholder text="" />}>
      <LazyApp />
    </Suspense>
  );
}

export const plugin = new AppPlugin().setRootPage(App);
