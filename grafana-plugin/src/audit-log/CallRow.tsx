/**
 * One row, of as few nodes as can be: thousands of cells go by while somebody scrolls. Draws itself again only when its
 * call, its place or its highlight changes.
 */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { memo } from 'react';
import type { Call } from '../data/contract.ts';
import { ValueActions } from '../filters/ValueActions.tsx';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import type { CallColumn, CellContext } from './call-columns.tsx';
import { ROW_PX } from './row-height.ts';

interface CallRowProps {
  readonly id: string;
  readonly call: Call;
  readonly index: number;
  readonly template: string;
  readonly columns: readonly CallColumn[];
  readonly context: CellContext;
  readonly isActive: boolean;
  readonly hoveredColumn: string | undefined;
  readonly onOpen: (call: Call) => void;
  readonly onFilter: ChangeFilters;
}

export const CallRow = memo(function CallRow(props: CallRowProps) {
  const { id, call, index, template, columns, context, isActive, hoveredColumn, onOpen, onFilter } = props;
  const styles = useStyles2(getStyles);
  return (
    <div
      id={id}
      role="row"
      // the header is the first
      aria-rowindex={index + 2}
      aria-selected={isActive}
      className={cx(styles.row, isActive && styles.active)}
      style={{ gridTemplateColumns: template }}
      data-row={index}
      onClick={() => onOpen(call)}
    >
      {columns.map((column) => {
        const isHovered = hoveredColumn === column.key;
        const text = column.text(call, context);
        return (
          <div
            key={column.key}
            role="gridcell"
            data-column={column.key}
            className={cx(styles.cell, column.isNumber && styles.number, isHovered && styles.hovered)}
            title={isHovered && column.mark === undefined ? text : undefined}
          >
            {column.mark !== undefined ? (
              column.mark(call)
            ) : isHovered ? (
              <span className={styles.text}>{text}</span>
            ) : (
              text
            )}
            {isHovered && (
              <span className={styles.actions} onClick={(event) => event.stopPropagation()}>
                <ValueActions
                  field={column.filter?.(call).field}
                  value={column.filter?.(call).value ?? ''}
                  copy={text}
                  onChange={onFilter}
                />
              </span>
            )}
          </div>
        );
      })}
    </div>
  );
});

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({
    display: 'grid',
    alignItems: 'center',
    height: ROW_PX,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    fontSize: theme.typography.bodySmall.fontSize,
    cursor: 'pointer',
    '&:hover': { background: theme.colors.background.secondary },
  }),
  active: css({
    background: theme.colors.action.selected,
    boxShadow: `inset ${theme.spacing(0.25)} 0 0 ${theme.colors.primary.border}`,
  }),
  cell: css({
    position: 'relative',
    minWidth: 0,
    height: '100%',
    padding: theme.spacing(0, 1),
    overflow: 'hidden',
    fontVariantNumeric: 'tabular-nums',
    lineHeight: `${ROW_PX}px`,
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  }),
  number: css({ textAlign: 'right' }),
  // its actions may stand out of it, its text may not
  hovered: css({ overflow: 'visible' }),
  text: css({ display: 'block', overflow: 'hidden', textOverflow: 'ellipsis' }),
  actions: css({
    position: 'absolute',
    top: theme.spacing(0.25),
    right: 0,
    display: 'flex',
    padding: theme.spacing(0.5),
    background: theme.colors.background.elevated,
    borderRadius: theme.shape.radius.default,
    boxShadow: theme.shadows.z1,
    cursor: 'default',
  }),
});
