/** One of a few, as a group of buttons under its label. */
import { Field, RadioButtonGroup } from '@grafana/ui';

interface ChoiceProps<Value> {
  readonly label: string;
  readonly about?: string | undefined;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
  readonly value: Value;
  readonly disabled?: boolean;
  readonly onChange: (value: Value) => void;
}

export function Choice<Value>({ label, about, options, value, disabled = false, onChange }: ChoiceProps<Value>) {
  return (
    <Field label={label} description={about} noMargin>
      <RadioButtonGroup
        aria-label={label}
        options={[...options]}
        value={value}
        disabled={disabled}
        onChange={onChange}
      />
    </Field>
  );
}
