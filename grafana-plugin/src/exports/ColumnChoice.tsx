/** Which columns of the record a file has. All, until somebody leaves some out; never none. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, Checkbox, useStyles2 } from '@grafana/ui';
import { useState } from 'react';
import { useExportOptions } from '../data/useExports.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';

interface ColumnChoiceProps {
  /** undefined: all */
  readonly chosen: readonly string[] | undefined;
  readonly disabled: boolean;
  readonly onChange: (columns: readonly string[] | undefined) => void;
}

/** Enough to see who did what, when, and how it ended. */
const FEW = [
  'started_at',
  'user_email',
  'server',
  'operation',
  'tool',
  'outcome',
  'duration',
  'request_bytes',
  'response_bytes',
];

export function ColumnChoice({ chosen, disabled, onChange }: ColumnChoiceProps) {
  const styles = useStyles2(getStyles);
  const [isOpen, setOpen] = useState(false);
  const options = useExportOptions();
  const all = options.data?.columns ?? [];
  const isChosen = (name: string) => chosen?.includes(name) ?? true;
  const change = (name: string, on: boolean) => {
    const next = all.map((column) => column.name).filter((one) => (one === name ? on : isChosen(one)));
    if (next.length > 0) onChange(next.length === all.length ? undefined : next);
  };
  return (
    <div>
      <Button
        variant="secondary"
        fill="text"
        icon={isOpen ? 'angle-down' : 'angle-right'}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {chosen === undefined ? 'All columns' : `${chosen.length} of ${all.length} columns`}
      </Button>
      {isOpen &&
        (options.error !== null ? (
          <FailureState title="The columns could not be read" error={options.error} />
        ) : options.data === undefined ? (
          <Skeleton lines={4} />
        ) : (
          <fieldset className={styles.columns} disabled={disabled}>
            <legend className={styles.legend}>
              Columns, as docs/record.md names them{' '}
              <Button size="sm" variant="secondary" fill="text" onClick={() => onChange(undefined)}>
                All
              </Button>
              <Button
                size="sm"
                variant="secondary"
                fill="text"
                onClick={() => onChange(all.map(({ name }) => name).filter((name) => FEW.includes(name)))}
              >
                The main ones
              </Button>
            </legend>
            {all.map(({ name, about }) => (
              <div key={name} title={about}>
                <Checkbox
                  label={name}
                  value={isChosen(name)}
                  disabled={disabled}
                  onChange={(event) => change(name, event.currentTarget.checked)}
                />
              </div>
            ))}
          </fieldset>
        ))}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  columns: css({
    display: 'grid',
    gridTemplateColumns: `repeat(auto-fill, minmax(${theme.spacing(26)}, 1fr))`,
    gap: theme.spacing(0.5, 1),
    maxHeight: theme.spacing(40),
    padding: theme.spacing(1),
    overflow: 'auto',
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  legend: css({
    gridColumn: '1 / -1',
    margin: 0,
    fontSize: theme.typography.bodySmall.fontSize,
    color: theme.colors.text.secondary,
  }),
});
