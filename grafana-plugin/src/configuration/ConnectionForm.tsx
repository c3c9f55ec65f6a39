/** Address and secret. The secret goes in and never comes out again. */
import { Alert, Button, Field, Input, SecretInput, Stack } from '@grafana/ui';
import { useState } from 'react';
import { toApiFailure } from '../data/api-failure.ts';
import { useSavePluginSettings, type PluginJsonData } from '../data/usePluginSettings.ts';
import { addressProblem } from './address-problem.ts';
import { Section } from './Section.tsx';

interface ConnectionFormProps {
  readonly pluginId: string;
  readonly stored: {
    readonly enabled: boolean;
    readonly pinned: boolean;
    readonly jsonData?: PluginJsonData | null;
    readonly secureJsonFields?: Readonly<Record<string, boolean>>;
  };
}

/** as the audit API asks for it */
const LEAST_SECRET_CHARS = 16;

export function ConnectionForm({ pluginId, stored }: ConnectionFormProps) {
  const [apiUrl, setApiUrl] = useState(stored.jsonData?.apiUrl ?? '');
  const [secret, setSecret] = useState<string>();
  const isSecretSet = stored.secureJsonFields?.routeSecret === true && secret === undefined;
  const save = useSavePluginSettings(pluginId, stored);
  const problem = addressProblem(apiUrl);
  const isSecretShort = secret !== undefined && secret !== '' && secret.length < LEAST_SECRET_CHARS;
  const canSave = problem === undefined && !isSecretShort && (isSecretSet || (secret ?? '') !== '');
  const submit = async () => {
    await save.mutateAsync({ apiUrl: apiUrl.replace(/\/+$/, ''), routeSecret: secret });
    // Grafana reads a plugin's settings when it loads the page
    window.location.reload();
  };
  return (
    <Section
      title="Connection"
      about="Grafana’s server asks the audit API; browsers never talk to it themselves. Both values are also in gatelens.yaml."
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (canSave) void submit().catch(() => undefined);
        }}
      >
        <Stack direction="column" gap={2}>
          <Field
            label="Address of the audit API"
            description="As Grafana’s server reaches it, without a path"
            invalid={apiUrl !== '' && problem !== undefined}
            error={problem}
            noMargin
          >
            <Input
              id="config-api-url"
              width={60}
              value={apiUrl}
              placeholder="http://127.0.0.1:8081"
              onChange={(event) => setApiUrl(event.currentTarget.value)}
            />
          </Field>
          <Field
            label="Secret of the route"
            description="The same as auditApi.grafana.routeSecret"
            invalid={isSecretShort}
            error={`At least ${LEAST_SECRET_CHARS} characters`}
            noMargin
          >
            <SecretInput
              id="config-route-secret"
              width={60}
              isConfigured={isSecretSet}
              value={secret ?? ''}
              placeholder={isSecretSet ? 'set' : 'not set'}
              onChange={(event) => setSecret(event.currentTarget.value)}
              onReset={() => setSecret('')}
            />
          </Field>
          {save.error !== null && (
            <Alert severity="error" title="It was not saved">
              {toApiFailure(save.error).message}
            </Alert>
          )}
          <div>
            <Button type="submit" disabled={!canSave || save.isPending}>
              Save
            </Button>
          </div>
        </Stack>
      </form>
    </Section>
  );
}
