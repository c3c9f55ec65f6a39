/** Builds one filter: field, is or is not, value. Values come from the facets; others can be typed. */
import { Button, Combobox, Field, Input, RadioButtonGroup, Stack, Toggletip } from '@grafana/ui';
import { useState } from 'react';
import { canExclude, FIELD_LABEL, FILTER_FIELDS, withTerm, type FilterField } from '../url/call-filters.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import type { ValueNames } from './value-names.ts';

interface AddFilterProps {
  readonly names: ValueNames;
  readonly suggestions: (field: FilterField) => readonly string[];
  readonly onChange: ChangeFilters;
}

type Choice = FilterField | 'duration';

const CHOICES = [
  ...FILTER_FIELDS.map((field) => ({ value: field, label: FIELD_LABEL[field] })),
  { value: 'duration' as const, label: 'Duration' },
];

export function AddFilter(props: AddFilterProps) {
  const [open, setOpen] = useState(false);
  return (
    <Toggletip
      show={open}
      onOpen={() => setOpen(true)}
      onClose={() => setOpen(false)}
      placement="bottom-start"
      closeButton={false}
      content={<FilterForm {...props} onDone={() => setOpen(false)} />}
    >
      <Button variant="secondary" icon="plus" aria-expanded={open}>
        Filter
      </Button>
    </Toggletip>
  );
}

function FilterForm({ names, suggestions, onChange, onDone }: AddFilterProps & { readonly onDone: () => void }) {
  const [field, setField] = useState<Choice>('server');
  return (
    <Stack direction="column" gap={1}>
      <Field label="Field" noMargin>
        <Combobox
          id="add-filter-field"
          width={30}
          options={CHOICES}
          value={field}
          onChange={({ value }) => setField(value)}
        />
      </Field>
      {field === 'duration' ? (
        <DurationForm onChange={onChange} onDone={onDone} />
      ) : (
        <ValueForm
          key={field}
          field={field}
          names={names}
          values={suggestions(field)}
          onAdd={(value, not) => {
            onChange((now) => withTerm(now, { field, value, not }));
            onDone();
          }}
        />
      )}
    </Stack>
  );
}

interface ValueFormProps {
  readonly field: FilterField;
  readonly names: ValueNames;
  readonly values: readonly string[];
  readonly onAdd: (value: string, not: boolean) => void;
}

function ValueForm({ field, names, values, onAdd }: ValueFormProps) {
  const [not, setNot] = useState(false);
  return (
    <>
      {canExclude(field) && (
        <RadioButtonGroup
          size="sm"
          aria-label="Is or is not"
          options={[
            { label: 'is', value: false },
            { label: 'is not', value: true },
          ]}
          value={not}
          onChange={setNot}
        />
      )}
      <Field label="Value" noMargin>
        <Combobox
          id="add-filter-value"
          width={30}
          placeholder={values.length === 0 ? 'Type a value' : 'Choose or type a value'}
          createCustomValue={field !== 'outcome' && field !== 'kind'}
          options={values.map((value) => ({ value, label: names(field, value) }))}
          onChange={({ value }) => onAdd(value, not)}
        />
      </Field>
    </>
  );
}

interface DurationFormProps {
  readonly onChange: ChangeFilters;
  readonly onDone: () => void;
}

function DurationForm({ onChange, onDone }: DurationFormProps) {
  const [min, setMin] = useState('');
  const [max, setMax] = useState('');
  return (
    <Stack direction="row" gap={1} alignItems="flex-end">
      <Field label="At least (ms)" noMargin>
        <Input type="number" min={0} width={12} value={min} onChange={(event) => setMin(event.currentTarget.value)} />
      </Field>
      <Field label="At most (ms)" noMargin>
        <Input type="number" min={0} width={12} value={max} onChange={(event) => setMax(event.currentTarget.value)} />
      </Field>
      <Button
        onClick={() => {
          onChange((now) => ({ ...now, minDurationMs: numberOf(min), maxDurationMs: numberOf(max) }));
          onDone();
        }}
      >
        Add
      </Button>
    </Stack>
  );
}

function numberOf(text: string): number | undefined {
  const value = text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
