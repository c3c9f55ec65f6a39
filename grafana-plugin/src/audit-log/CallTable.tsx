/**
 * The rows of the audit log: as many as are loaded, as few in the page as can be seen. One tab stop; arrows or j and k
 * move, Enter opens. Asks for the next page before its end is reached.
 */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useCallback, useEffect, type ReactNode } from 'react';
import type { Call } from '../data/contract.ts';
import { useRowWindow } from '../table/useRowWindow.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import { gridTracks, type CallColumn, type CellContext } from './call-columns.tsx';
import { CallRow } from './CallRow.tsx';
import { ROW_PX } from './row-height.ts';
import { useHoveredCell } from './useHoveredCell.ts';

interface CallTableProps {
  readonly calls: readonly Call[];
  readonly columns: readonly CallColumn[];
  readonly context: CellContext;
  readonly activeId: string | undefined;
  readonly hasMore: boolean;
  /** below the last row */
  readonly footer: ReactNode;
  readonly onOpen: (call: Call) => void;
  /** undefined: more comes only when asked for, in the footer */
  readonly onNearEnd: (() => void) | undefined;
  readonly onFilter: ChangeFilters;
  /** whether the newest rows are out of sight */
  readonly onScrolled: (isScrolled: boolean) => void;
}

/** rows before the end at which the next page is asked for */
const AHEAD_ROWS = 60;

export function CallTable(props: CallTableProps) {
  const { calls, columns, context, activeId, hasMore, footer, onOpen, onNearEnd, onFilter, onScrolled } = props;
  const styles = useStyles2(getStyles);
  const hovered = useHoveredCell();
  const { ref, indexes, wholeStyle, drawnStyle, scrollTo } = useRowWindow({
    count: calls.length,
    rowPx: ROW_PX,
    headPx: ROW_PX,
    onScroll: useCallback((topPx: number) => onScrolled(topPx > ROW_PX), [onScrolled]),
  });
  const lastIndex = indexes.at(-1) ?? 0;
  useEffect(() => {
    if (hasMore && lastIndex >= calls.length - AHEAD_ROWS) onNearEnd?.();
  }, [hasMore, lastIndex, calls.length, onNearEnd]);
  const activeIndex = activeId === undefined ? -1 : calls.findIndex(({ id }) => id === activeId);
  useEffect(() => {
    if (activeIndex >= 0) scrollTo(activeIndex);
  }, [activeIndex, scrollTo]);
  const template = gridTracks(columns, context);
  return (
    <div
      ref={ref}
      role="grid"
      tabIndex={0}
      aria-label="Calls, newest first"
      aria-rowcount={hasMore ? -1 : calls.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={activeIndex < 0 ? undefined : rowId(activeIndex)}
      className={styles.scroller}
      data-testid="call-table"
    >
      <div role="rowgroup" className={styles.head}>
        <div role="row" aria-rowindex={1} className={styles.headRow} style={{ gridTemplateColumns: template }}>
          {columns.map(({ key, label, isNumber }) => (
            <div key={key} role="columnheader" className={isNumber === true ? styles.number : undefined}>
              {label}
            </div>
          ))}
        </div>
      </div>
      <div role="presentation" className={styles.body} style={wholeStyle} {...hovered.handlers}>
        <div role="rowgroup" style={drawnStyle}>
          {indexes.map((index, place) => {
            const call = calls[index];
            if (call === undefined) return null;
            return (
              <CallRow
                key={place}
                id={rowId(index)}
                call={call}
                index={index}
                template={template}
                columns={columns}
                context={context}
                isActive={index === activeIndex}
                hoveredColumn={hovered.cell?.row === index ? hovered.cell.column : undefined}
                onOpen={onOpen}
                onFilter={onFilter}
              />
            );
          })}
        </div>
      </div>
      <div className={styles.footer}>{footer}</div>
    </div>
  );
}

function rowId(index: number): string {
  return `call-row-${index}`;
}

const getStyles = (theme: GrafanaTheme2) => ({
  scroller: css({
    height: '100%',
    overflow: 'auto',
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    contain: 'strict',
  }),
  head: css({ position: 'sticky', top: 0, zIndex: 1, minWidth: theme.spacing(92) }),
  headRow: css({
    display: 'grid',
    alignItems: 'center',
    height: ROW_PX,
    background: theme.colors.background.secondary,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    color: theme.colors.text.secondary,
    '& > div': { padding: theme.spacing(0, 1), overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
  }),
  number: css({ textAlign: 'right' }),
  body: css({ minWidth: theme.spacing(92) }),
  footer: css({
    display: 'flex',
    alignItems: 'center',
    justifyContent: 'center',
    gap: theme.spacing(1),
    minHeight: theme.spacing(5),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
