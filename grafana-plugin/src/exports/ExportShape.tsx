/** What the file looks like: form, compression, payloads, columns. What does not go together cannot be chosen. */
import { Checkbox } from '@grafana/ui';
import type { ExportCompression, ExportFormat, Me } from '../data/contract.ts';
import { Choice } from './Choice.tsx';
import { ColumnChoice } from './ColumnChoice.tsx';
import { payloadReach, whyNoPayloads } from './export-words.ts';

export interface Shape {
  readonly format: ExportFormat;
  readonly compression: ExportCompression;
  /** undefined: all */
  readonly columns: readonly string[] | undefined;
  readonly payloads: boolean;
}

interface ExportShapeProps {
  readonly me: Me;
  readonly shape: Shape;
  readonly disabled: boolean;
  readonly onChange: (shape: Shape) => void;
}

const FORMATS: { readonly value: ExportFormat; readonly label: string }[] = [
  { value: 'jsonl', label: 'JSONL' },
  { value: 'csv', label: 'CSV' },
  { value: 'parquet', label: 'Parquet' },
];
const COMPRESSIONS: { readonly value: ExportCompression; readonly label: string }[] = [
  { value: 'none', label: 'None' },
  { value: 'gzip', label: 'gzip' },
  { value: 'zstd', label: 'zstd' },
];
const PARQUET = 'Parquet has metadata only. Choose JSONL or CSV to export payloads.';

export function ExportShape({ me, shape, disabled, onChange }: ExportShapeProps) {
  const isParquet = shape.format === 'parquet';
  const whyNot = whyNoPayloads(me) ?? (isParquet ? PARQUET : undefined);
  return (
    <>
      <Choice
        label="Format"
        options={FORMATS}
        value={shape.format}
        disabled={disabled}
        onChange={(format) => onChange({ ...shape, format })}
      />
      <Choice
        label="Compression"
        about={isParquet ? 'Parquet compresses by itself.' : undefined}
        options={COMPRESSIONS}
        value={shape.compression}
        disabled={disabled || isParquet}
        onChange={(compression) => onChange({ ...shape, compression })}
      />
      <div>
        <Checkbox
          label="With payloads"
          aria-describedby="export-payloads-about"
          value={shape.payloads}
          disabled={disabled || whyNot !== undefined}
          onChange={(event) => onChange({ ...shape, payloads: event.currentTarget.checked })}
        />
        <p id="export-payloads-about" data-testid="export-payloads-about">
          {whyNot ?? payloadReach(me)}
        </p>
      </div>
      <ColumnChoice
        chosen={shape.columns}
        disabled={disabled}
        onChange={(columns) => onChange({ ...shape, columns })}
      />
    </>
  );
}
