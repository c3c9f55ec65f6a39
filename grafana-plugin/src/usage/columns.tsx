/** Columns that several tables of Usage have. */
import { TextLink } from '@grafana/ui';
import { Sparkline } from '../chart/Sparkline.tsx';
import { formatMoney } from '../format/money.ts';
import { formatCount, formatDuration, formatShare, formatShort } from '../format/numbers.ts';
import { visibleText } from '../format/visible-text.ts';
import type { RankedColumn } from './RankedTable.tsx';

interface Figures {
  readonly calls: number;
  readonly errorRate: number;
  readonly p95Ms: number | null;
}

/** A name that leads to its calls. */
export function nameColumn<Row>(
  key: string,
  label: string,
  name: (row: Row) => string,
  href: (row: Row) => string
): RankedColumn<Row> {
  return {
    key,
    label,
    value: name,
    cell: (row) => (
      <TextLink href={href(row)} variant="bodySmall" inline={false}>
        {visibleText(name(row))}
      </TextLink>
    ),
  };
}

export function callsColumn<Row extends Figures>(): RankedColumn<Row> {
  return numberColumn('calls', 'Calls', ({ calls }) => calls, formatCount);
}

export function errorRateColumn<Row extends Figures>(): RankedColumn<Row> {
  return numberColumn('errorRate', 'Errors', ({ errorRate }) => errorRate, formatShare);
}

export function p95Column<Row extends Figures>(): RankedColumn<Row> {
  return numberColumn(
    'p95',
    'p95',
    ({ p95Ms }) => p95Ms ?? -1,
    (value) => (value < 0 ? '–' : formatDuration(value))
  );
}

export function tokensColumn<Row>(label: string, read: (row: Row) => number): RankedColumn<Row> {
  return numberColumn('tokens', label, read, formatShort);
}

/** What the estimated tokens cost. @returns nothing where no price is configured */
export function costColumns<Row extends { readonly cost?: number | undefined }>(
  currency: string | undefined
): readonly RankedColumn<Row>[] {
  if (currency === undefined) return [];
  return [
    numberColumn(
      'cost',
      'Est. cost',
      ({ cost }) => cost ?? 0,
      (value) => formatMoney(value, currency)
    ),
  ];
}

export function numberColumn<Row>(
  key: string,
  label: string,
  read: (row: Row) => number,
  format: (value: number) => string
): RankedColumn<Row> {
  return { key, label, isNumber: true, value: read, cell: (row) => format(read(row)) };
}

export function trendColumn<Row extends { readonly trend: readonly number[] }>(): RankedColumn<Row> {
  return {
    key: 'trend',
    label: 'Trend',
    isPicture: true,
    value: () => 0,
    cell: ({ trend }) => <Sparkline values={trend} />,
  };
}
