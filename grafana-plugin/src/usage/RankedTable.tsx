/** A table that can be sorted by any column, searched, and saved as CSV. Its cells lead to the calls behind them. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import { useMemo, useState, type ReactNode } from 'react';
import { getCellStyles } from '../table/cell-styles.ts';
import { TableFrame } from '../table/TableFrame.tsx';

export interface RankedColumn<Row> {
  readonly key: string;
  readonly label: string;
  /** to sort by */
  readonly value: (row: Row) => string | number;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumber?: boolean;
  /** not sorted by */
  readonly isPicture?: boolean;
}

interface RankedTableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly RankedColumn<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly sortedBy: string;
  /** words that a row must have */
  readonly search: string;
}

interface Order {
  readonly key: string;
  readonly isDown: boolean;
}

export function RankedTable<Row>({ label, rows, columns, rowKey, sortedBy, search }: RankedTableProps<Row>) {
  const styles = useStyles2(getStyles);
  const cells = useStyles2(getCellStyles);
  const [order, setOrder] = useState<Order>({ key: sortedBy, isDown: true });
  const shown = useMemo(() => {
    const column = columns.find(({ key }) => key === order.key);
    const found = rows.filter((row) => hasWords(columns, row, search));
    return column === undefined ? found : found.sort((a, b) => compare(column.value(a), column.value(b), order.isDown));
  }, [rows, columns, order, search]);
  return (
    <TableFrame
      label={`${label}, table`}
      isInPanel
      note={
        shown.length === 0 && <p className={styles.none}>{rows.length === 0 ? 'None.' : 'Nothing fits the search.'}</p>
      }
    >
      <thead>
        <tr>
          {columns.map(({ key, label: heading, isNumber, isPicture }) => (
            <th
              key={key}
              className={cx(isNumber && cells.number)}
              aria-sort={order.key === key ? (order.isDown ? 'descending' : 'ascending') : undefined}
            >
              {isPicture === true ? (
                heading
              ) : (
                <button
                  type="button"
                  className={styles.sort}
                  onClick={() =>
                    setOrder((now) => ({ key, isDown: now.key === key ? !now.isDown : isNumber === true }))
                  }
                >
                  {heading}
                  {order.key === key && <Icon name={order.isDown ? 'arrow-down' : 'arrow-up'} size="sm" />}
                </button>
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map(({ key, cell, isNumber }) => (
              <td key={key} className={cx(isNumber && cells.number)}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}

function hasWords<Row>(columns: readonly RankedColumn<Row>[], row: Row, search: string): boolean {
  if (search === '') return true;
  const text = columns.map(({ value }) => String(value(row)).toLowerCase()).join(' ');
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function compare(a: string | number, b: string | number, isDown: boolean): number {
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  return isDown ? -order : order;
}

const getStyles = (theme: GrafanaTheme2) => ({
  sort: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.25),
    padding: 0,
    background: 'none',
    border: 'none',
    color: 'inherit',
    fontSize: 'inherit',
    fontWeight: 'inherit',
  }),
  none: css({ padding: theme.spacing(2), color: theme.colors.text.secondary, textAlign: 'center' }),
});
