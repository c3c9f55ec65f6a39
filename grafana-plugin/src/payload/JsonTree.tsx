/**
 * A JSON value as a tree that folds. Draws the rows that are seen. One tab stop: up and down move, right unfolds, left
 * folds. Redacted values are marked where they stand.
 */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { isBranch, type Json } from './json.ts';
import { CHILDREN_AT_FIRST, treeRows, type TreeRow, type TreeState } from './json-tree.ts';
import { JsonTreeRow, TREE_ROW_PX } from './JsonTreeRow.tsx';

interface JsonTreeProps {
  readonly value: Json;
  readonly state: TreeState;
  readonly onState: (change: (state: TreeState) => TreeState) => void;
  readonly redacted: ReadonlySet<string>;
  /** path of what was found */
  readonly mark: string | undefined;
  readonly maxHeightPx: number;
  readonly onShowText: (row: TreeRow) => void;
}

export function JsonTree({ value, state, onState, redacted, mark, maxHeightPx, onShowText }: JsonTreeProps) {
  const styles = useStyles2(getStyles);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => treeRows(value, state), [value, state]);
  const [active, setActive] = useState(0);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => TREE_ROW_PX,
    overscan: 12,
  });
  useEffect(() => {
    if (mark === undefined) return;
    const index = rows.findIndex(({ path, moreOf }) => path === mark && moreOf === undefined);
    if (index < 0) return;
    setActive(index);
    virtualizer.scrollToIndex(index, { align: 'center' });
  }, [mark, rows, virtualizer]);
  const toggle = (row: TreeRow) => onState((now) => toggled(now, row));
  const move = (by: number) => {
    const next = Math.min(Math.max(active + by, 0), rows.length - 1);
    setActive(next);
    virtualizer.scrollToIndex(next);
  };
  const press = (event: KeyboardEvent) => {
    const row = rows[active];
    if (row === undefined) return;
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp') move(-1);
    else if (event.key === 'ArrowRight' && !row.isOpen) toggle(row);
    else if (event.key === 'ArrowLeft' && row.isOpen) toggle(row);
    else if (event.key === 'Enter' && isBranch(row.value)) toggle(row);
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={scroller}
      role="tree"
      tabIndex={0}
      aria-label="JSON"
      aria-activedescendant={`json-row-${active}`}
      className={styles.scroller}
      style={{ height: Math.min(maxHeightPx, rows.length * TREE_ROW_PX + 2) }}
      onKeyDown={press}
      data-own-keys
    >
      <div role="presentation" className={styles.rows} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row === undefined ? null : (
            <JsonTreeRow
              key={`${row.path} ${row.moreOf ?? ''}`}
              id={`json-row-${index}`}
              row={row}
              top={start}
              isActive={index === active}
              isMarked={row.path === mark}
              isRedacted={redacted.has(row.path)}
              onToggle={() => {
                setActive(index);
                toggle(row);
              }}
              onShowText={onShowText}
            />
          );
        })}
      </div>
    </div>
  );
}

function toggled({ open, shown }: TreeState, { path, moreOf, value }: TreeRow): TreeState {
  if (moreOf !== undefined) {
    const more = new Map(shown);
    more.set(path, (shown.get(path) ?? CHILDREN_AT_FIRST) + 5 * CHILDREN_AT_FIRST);
    return { open, shown: more };
  }
  if (!isBranch(value)) return { open, shown };
  const next = new Set(open);
  if (!next.delete(path)) next.add(path);
  return { open: next, shown };
}

const getStyles = (theme: GrafanaTheme2) => ({
  scroller: css({
    overflow: 'auto',
    background: theme.colors.background.canvas,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  rows: css({ position: 'relative', minWidth: 'max-content' }),
});
