/** Second step of a schedule: where its files go, with a test that really writes there. Secrets go in and never come out. */
import { Alert, Button, Checkbox, Combobox, Field, Input, TextArea } from '@grafana/ui';
import { useTestDestination } from '../data/useExportSchedules.ts';
import { useExportOptions } from '../data/useExports.ts';
import { FailureState } from '../states/FailureState.tsx';
import { visibleText } from '../format/visible-text.ts';
import { Choice } from './Choice.tsx';
import { destinationBody, missingIn, type DestinationDraft, type ScheduleDraft } from './schedule-draft.ts';

interface WhereStepProps {
  readonly draft: ScheduleDraft;
  readonly scheduleId: string | undefined;
  readonly onChange: (part: Partial<ScheduleDraft>) => void;
}

const TYPES: { readonly value: DestinationDraft['type']; readonly label: string }[] = [
  { value: 'configured', label: 'Configured' },
  { value: 's3', label: 'S3' },
  { value: 'https', label: 'HTTPS' },
];

const ENCRYPTIONS: { readonly value: DestinationDraft['sse']; readonly label: string }[] = [
  { value: 'none', label: 'As the bucket says' },
  { value: 'AES256', label: 'SSE-S3' },
  { value: 'aws:kms', label: 'SSE-KMS' },
];
const LOCKS: { readonly value: DestinationDraft['lockMode']; readonly label: string }[] = [
  { value: 'none', label: 'None' },
  { value: 'GOVERNANCE', label: 'Governance' },
  { value: 'COMPLIANCE', label: 'Compliance' },
];

export function WhereStep({ draft, scheduleId, onChange }: WhereStepProps) {
  const { destination } = draft;
  const test = useTestDestination();
  const change = (part: Partial<DestinationDraft>) => {
    test.reset();
    onChange({ destination: { ...destination, ...part } });
  };
  return (
    <>
      <Choice
        label="Kind of destination"
        options={TYPES}
        value={destination.type}
        onChange={(type) => change({ type })}
      />
      {destination.type === 'configured' && <ConfiguredFields destination={destination} onChange={change} />}
      {destination.type === 's3' && <S3Fields destination={destination} onChange={change} />}
      {destination.type === 'https' && (
        <>
          <TextField
            id="destination-url"
            label="Address"
            about="Gets each file by POST."
            name="url"
            destination={destination}
            onChange={change}
          />
          <SecretField id="destination-token" label="Token" name="token" destination={destination} onChange={change} />
        </>
      )}
      <Field
        label="Encrypt to"
        description="age public keys, one a line; nobody here can read the files then."
        noMargin
      >
        <TextArea
          id="schedule-recipients"
          rows={2}
          value={draft.recipients}
          onChange={(event) => onChange({ recipients: event.currentTarget.value })}
        />
      </Field>
      <div>
        <Button
          variant="secondary"
          icon="check"
          disabled={test.isPending || missingIn(1, draft) !== undefined}
          onClick={() =>
            test.mutate({
              destination: destinationBody(destination),
              ...(scheduleId === undefined ? {} : { scheduleId }),
            })
          }
        >
          {test.isPending ? 'Testing …' : 'Test the destination'}
        </Button>
      </div>
      {test.error !== null && <FailureState title="It could not be tested" error={test.error} />}
      {test.data !== undefined && (
        <Alert
          severity={test.data.ok ? 'success' : 'error'}
          title={test.data.ok ? 'A small file was written, read back and removed' : 'It does not work yet'}
        >
          <ul>
            {test.data.steps.map(({ step, state, message }) => (
              <li key={step}>
                {step}: {state}. {visibleText(message)}
              </li>
            ))}
          </ul>
        </Alert>
      )}
    </>
  );
}

interface FieldsProps {
  readonly destination: DestinationDraft;
  readonly onChange: (part: Partial<DestinationDraft>) => void;
}

function ConfiguredFields({ destination, onChange }: FieldsProps) {
  const options = useExportOptions();
  if (options.error !== null) return <FailureState title="The destinations could not be read" error={options.error} />;
  const known = options.data?.destinations ?? [];
  return (
    <Field
      label="Destination"
      description={
        options.data !== undefined && known.length === 0
          ? 'The configuration names none: add one to exports.destinations, or choose S3 or HTTPS.'
          : 'As exports.destinations of the configuration names it.'
      }
      noMargin
    >
      <Combobox
        id="destination-name"
        options={known.map(({ name, where }) => ({ value: name, label: name, description: where }))}
        value={destination.configured === '' ? null : destination.configured}
        placeholder="Choose one"
        onChange={({ value }) => onChange({ configured: value })}
      />
    </Field>
  );
}

function S3Fields(props: FieldsProps) {
  const { destination, onChange } = props;
  return (
    <>
      <TextField id="destination-bucket" label="Bucket" name="bucket" {...props} />
      <TextField id="destination-region" label="Region" name="region" {...props} />
      <TextField id="destination-endpoint" label="Endpoint" about="Left empty: AWS." name="endpoint" {...props} />
      <Checkbox
        label="Bucket in the path of the address"
        value={destination.pathStyle}
        onChange={(event) => onChange({ pathStyle: event.currentTarget.checked })}
      />
      <SecretField id="destination-access-key" label="Access key" name="accessKeyId" {...props} />
      <SecretField id="destination-secret-key" label="Secret key" name="secretAccessKey" {...props} />
      <Choice
        label="Encryption by the store"
        options={ENCRYPTIONS}
        value={destination.sse}
        onChange={(sse) => onChange({ sse })}
      />
      {destination.sse === 'aws:kms' && (
        <TextField
          id="destination-kms-key"
          label="KMS key"
          about="Left empty: the default one of the store."
          name="kmsKeyId"
          {...props}
        />
      )}
      <Choice
        label="Object lock"
        about="The bucket must have it switched on. What is locked cannot be taken back, nor can the test remove its object."
        options={LOCKS}
        value={destination.lockMode}
        onChange={(lockMode) => onChange({ lockMode })}
      />
      {destination.lockMode !== 'none' && (
        <TextField id="destination-lock-days" label="Days locked" name="lockDays" {...props} />
      )}
    </>
  );
}

interface TextFieldProps extends FieldsProps {
  readonly id: string;
  readonly label: string;
  readonly about?: string;
  readonly name: 'bucket' | 'region' | 'endpoint' | 'url' | 'kmsKeyId' | 'lockDays';
}

function TextField({ id, label, about, name, destination, onChange }: TextFieldProps) {
  return (
    <Field label={label} {...(about === undefined ? {} : { description: about })} noMargin>
      <Input
        id={id}
        value={destination[name]}
        autoComplete="off"
        onChange={(event) => onChange({ [name]: event.currentTarget.value })}
      />
    </Field>
  );
}

interface SecretFieldProps extends FieldsProps {
  readonly id: string;
  readonly label: string;
  readonly name: 'accessKeyId' | 'secretAccessKey' | 'token';
}

function SecretField({ id, label, name, destination, onChange }: SecretFieldProps) {
  return (
    <Field label={label} noMargin>
      <Input
        id={id}
        type="password"
        autoComplete="new-password"
        placeholder={destination.credentialsSet ? 'Set; leave it empty to keep it for the same address' : ''}
        value={destination[name]}
        onChange={(event) => onChange({ [name]: event.currentTarget.value })}
      />
    </Field>
  );
}
