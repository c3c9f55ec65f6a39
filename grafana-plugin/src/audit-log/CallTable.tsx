/**
 * The rows of the audit log: as many as are loaded, as few in the page as can be seen. One tab stop; arrows or j and k
 * move, Enter opens. Asks for the next page before its end is reached.
 */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type ReactNode } from 'react';
import type { Call } from '../data/contract.ts';
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

const OVERSCAN_ROWS = 12;
/** rows before the end at which the next page is asked for */
const AHEAD_ROWS = 60;

export function CallTable(props: CallTableProps) {
  const { calls, columns, context, activeId, hasMore, footer, onOpen, onNearEnd, onFilter, onScrolled } = props;
  const styles = useStyles2(getStyles);
  const scroller = useRef<HTMLDivElement>(null);
  const hovered = useHoveredCell();
  const virtualizer = useVirtualizer({
    count: calls.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN_ROWS,
    scrollMargin: 0,
    scrollPaddingStart: ROW_PX,
    getItemKey: (index) => calls[index]?.id ?? index,
  });
  const rows = virtualizer.getVirtualItems();
  const lastIndex = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && lastIndex >= calls.length - AHEAD_ROWS) onNearEnd?.();
  }, [hasMore, lastIndex, calls.length, onNearEnd]);
  const activeIndex = activeId === undefined ? -1 : calls.findIndex(({ id }) => id === activeId);
  useEffect(() => {
    if (activeIndex >= 0) virtualizer.scrollToIndex(activeIndex);
  }, [activeIndex, virtualizer]);
  const template = gridTracks(columns, context);
  return (
    <div
      ref={scroller}
      role="grid"
      tabIndex={0}
      aria-label="Calls, newest first"
      aria-rowcount={hasMore ? -1 : calls.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={activeIndex < 0 ? undefined : rowId(activeIndex)}
      className={styles.scroller}
      onScroll={({ currentTarget }) => onScrolled(currentTarget.scrollTop > ROW_PX)}
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
      <div role="rowgroup" className={styles.body} style={{ height: virtualizer.getTotalSize() }} {...hovered.handlers}>
        {rows.map(({ index, start, key }) => {
          const call = calls[index];
          if (call === undefined) return null;
          return (
            <CallRow
              key={key}
              id={rowId(index)}
              call={call}
              index={index}
              top={start}
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
  body: css({ position: 'relative', minWidth: theme.spacing(92) }),
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
