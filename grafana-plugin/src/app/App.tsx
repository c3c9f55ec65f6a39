/** The pages of the plugin behind their paths. Each is a chunk of its own. */
import { LoadingPlaceholder } from '@grafana/ui';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { PAGES } from '../constants.ts';
import { createQueryClient } from '../data/query-client.ts';

const AuditLogPage = lazy(() => import('../audit-log/AuditLogPage.tsx'));
const AccessLogPage = lazy(() => import('../access-log/AccessLogPage.tsx'));
const ExportsPage = lazy(() => import('../exports/ExportsPage.tsx'));
const SessionPage = lazy(() => import('../sessions/SessionPage.tsx'));
const SessionsPage = lazy(() => import('../sessions/SessionsPage.tsx'));
const UsagePage = lazy(() => import('../usage/UsagePage.tsx'));

export default function App() {
  const [queryClient] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <Suspense fallback={<LoadingPlaceholder text="" />}>
        <Routes>
          <Route path={PAGES.auditLogs} element={<AuditLogPage />} />
          <Route path={PAGES.usage} element={<UsagePage />} />
          <Route path={PAGES.sessions} element={<SessionsPage />} />
          <Route path={`${PAGES.sessions}/:key`} element={<SessionPage />} />
          <Route path={PAGES.exports} element={<ExportsPage />} />
          <Route path={PAGES.accessLog} element={<AccessLogPage />} />
          <Route path="*" element={<Navigate to={PAGES.auditLogs} replace />} />
        </Routes>
      </Suspense>
    </QueryClientProvider>
  );
}
