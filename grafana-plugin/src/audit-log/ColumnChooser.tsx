/** Which columns are shown; kept in the address. */
import { Checkbox, Stack, ToolbarButton, Toggletip } from '@grafana/ui';
import { CALL_COLUMNS, type CallColumn } from './call-columns.tsx';

interface ColumnChooserProps {
  readonly columns: readonly CallColumn[];
  readonly onChange: (keys: readonly string[]) => void;
}

export function ColumnChooser({ columns, onChange }: ColumnChooserProps) {
  const keys = columns.map(({ key }) => key);
  const content = (
    <Stack direction="column" gap={1}>
      {CALL_COLUMNS.map(({ key, label }) => (
        <Checkbox
          key={key}
          label={label}
          value={keys.includes(key)}
          disabled={keys.length === 1 && keys.includes(key)}
          onChange={({ currentTarget }) =>
            onChange(currentTarget.checked ? [...keys, key] : keys.filter((one) => one !== key))
          }
        />
      ))}
    </Stack>
  );
  return (
    <Toggletip content={content} placement="bottom-end" closeButton={false}>
      <ToolbarButton icon="columns" variant="canvas" tooltip="Columns" aria-label="Columns" />
    </Toggletip>
  );
}
