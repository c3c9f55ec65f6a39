/** A table that can be sorted by any column, searched, and saved as CSV. Its cells lead to the calls behind them. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import { useMemo, useState, type ReactNode } from 'react';

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
  const [order, setOrder] = useState<Order>({ key: sortedBy, isDown: true });
  const shown = useMemo(() => {
    const column = columns.find(({ key }) => key === order.key);
    const found = rows.filter((row) => hasWords(columns, row, search));
    return column === undefined ? found : found.sort((a, b) => compare(column.value(a), column.value(b), order.isDown));
  }, [rows, columns, order, search]);
  return (
    <div className={styles.scroller} tabIndex={0} role="region" aria-label={`${label}, table`}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map(({ key, label: heading, isNumber, isPicture }) => (
              <th
                key={key}
                className={cx(isNumber && styles.number)}
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
                <td key={key} className={cx(isNumber && styles.number)}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length === 0 && <p className={styles.none}>{rows.length === 0 ? 'None.' : 'Nothing fits the search.'}</p>}
    </div>
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
  scroller: css({ maxHeight: theme.spacing(44), overflow: 'auto' }),
  table: css({
    width: '100%',
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
    '& th': {
      position: 'sticky',
      top: 0,
      zIndex: 1,
      padding: theme.spacing(0.5, 0.75),
      background: theme.colors.background.primary,
      boxShadow: `inset 0 -1px 0 ${theme.colors.border.weak}`,
      color: theme.colors.text.secondary,
      fontWeight: theme.typography.fontWeightMedium,
      textAlign: 'left',
      whiteSpace: 'nowrap',
    },
    '& td': {
      height: theme.spacing(4),
      padding: theme.spacing(0, 0.75),
      borderBottom: `1px solid ${theme.colors.border.weak}`,
      whiteSpace: 'nowrap',
    },
    '& td:first-of-type': { maxWidth: theme.spacing(34), overflow: 'hidden', textOverflow: 'ellipsis' },
    '& tbody tr:hover': { background: theme.colors.action.hover },
  }),
  number: css({ textAlign: 'right !important' as 'right' }),
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
