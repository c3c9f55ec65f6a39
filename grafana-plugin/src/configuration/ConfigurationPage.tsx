/** The Configuration page: how Grafana reaches the audit API, whether the whole chain works, and who is Auditor. */
import type { AppPluginMeta, PluginConfigPageProps } from '@grafana/data';
import { QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { usePluginSettings } from '../data/usePluginSettings.ts';
import { createQueryClient } from '../data/query-client.ts';
import { useRoleSettings, useStatus } from '../data/useSettings.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { ChainTest } from './ChainTest.tsx';
import { ConnectionForm } from './ConnectionForm.tsx';
import { PipelineHealth } from './PipelineHealth.tsx';
import { RetentionFacts } from './RetentionFacts.tsx';
import { RoleEditor } from './RoleEditor.tsx';
import { Section } from './Section.tsx';

export default function ConfigurationPage({ plugin }: PluginConfigPageProps<AppPluginMeta>) {
  const [queryClient] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <Configuration pluginId={plugin.meta.id} />
    </QueryClientProvider>
  );
}

function Configuration({ pluginId }: { readonly pluginId: string }) {
  const settings = usePluginSettings(pluginId);
  const isConfigured =
    (settings.data?.jsonData?.apiUrl ?? '') !== '' && settings.data?.secureJsonFields?.routeSecret === true;
  const status = useStatus(isConfigured);
  const roles = useRoleSettings(isConfigured);
  if (settings.error !== null) {
    return (
      <FailureState
        title="The settings could not be read"
        error={settings.error}
        onRetry={() => void settings.refetch()}
      />
    );
  }
  if (settings.data === undefined) return <Skeleton lines={10} />;
  return (
    <>
      <ConnectionForm pluginId={pluginId} stored={settings.data} />
      {isConfigured && (
        <>
          <ChainTest status={status} />
          <Section
            title="Auditors"
            about="Members of these Grafana teams open payloads. Each change is recorded, and nobody can make themselves an Auditor."
          >
            {roles.error !== null ? (
              <FailureState
                title="The roles could not be read"
                error={roles.error}
                onRetry={() => void roles.refetch()}
              />
            ) : roles.data === undefined ? (
              <Skeleton lines={4} />
            ) : (
              <RoleEditor key={roles.data.version} settings={roles.data} />
            )}
          </Section>
          {status.data !== undefined && (
            <>
              <PipelineHealth status={status.data} />
              <RetentionFacts status={status.data} />
            </>
          )}
        </>
      )}
    </>
  );
}
