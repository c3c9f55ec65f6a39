/**
 * A JSON value as a tree that folds. Draws the rows that are seen. One tab stop: up and down move, right unfolds, left
 * folds or goes to the parent. Redacted values are marked where they stand.
 */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useEffect, useMemo, useState, type KeyboardEvent } from 'react';
import { useRowWindow } from '../table/useRowWindow.ts';
import { isBranch, isSamePlace, pathOf, type Json, type JsonPlace } from './json.ts';
import { toggled, treeRows, type TreeRow, type TreeState } from './json-tree.ts';
import { JsonTreeRow, TREE_ROW_PX } from './JsonTreeRow.tsx';

interface JsonTreeProps {
  readonly value: Json;
  readonly state: TreeState;
  readonly onState: (change: (state: TreeState) => TreeState) => void;
  readonly redacted: ReadonlySet<string>;
  /** what was found */
  readonly mark: JsonPlace | undefined;
  readonly maxHeightPx: number;
  readonly onShowText: (row: TreeRow) => void;
}

export function JsonTree({ value, state, onState, redacted, mark, maxHeightPx, onShowText }: JsonTreeProps) {
  const styles = useStyles2(getStyles);
  const rows = useMemo(() => treeRows(value, state), [value, state]);
  const [active, setActive] = useState(0);
  const { ref, indexes, wholeStyle, drawnStyle, scrollTo } = useRowWindow({ count: rows.length, rowPx: TREE_ROW_PX });
  const isMarked = (row: TreeRow) => mark !== undefined && row.moreOf === undefined && isSamePlace(row, mark);
  useEffect(() => {
    if (mark === undefined) return;
    const index = rows.findIndex((row) => row.moreOf === undefined && isSamePlace(row, mark));
    if (index < 0) return;
    setActive(index);
    scrollTo(index, 'center');
  }, [mark, rows, scrollTo]);
  const toggle = (row: TreeRow) => onState((now) => toggled(now, row));
  const moveTo = (index: number) => {
    const next = Math.min(Math.max(index, 0), rows.length - 1);
    setActive(next);
    scrollTo(next);
  };
  const press = (event: KeyboardEvent) => {
    const row = rows[active];
    if (row === undefined) return;
    if (event.key === 'ArrowDown') moveTo(active + 1);
    else if (event.key === 'ArrowUp') moveTo(active - 1);
    else if (event.key === 'Home') moveTo(0);
    else if (event.key === 'End') moveTo(rows.length - 1);
    else if (event.key === 'ArrowRight' && !row.isOpen) toggle(row);
    else if (event.key === 'ArrowLeft' && row.isOpen) toggle(row);
    else if (event.key === 'ArrowLeft') moveTo(rows.findIndex((one) => one === row.parent));
    else if (event.key === 'Enter' && (isBranch(row.value) || row.moreOf !== undefined)) toggle(row);
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={ref}
      role="tree"
      tabIndex={0}
      aria-label="JSON"
      aria-activedescendant={`json-row-${active}`}
      className={styles.scroller}
      style={{ height: Math.min(maxHeightPx, rows.length * TREE_ROW_PX + 2) }}
      onKeyDown={press}
      data-own-keys
    >
      <div role="presentation" className={styles.rows} style={wholeStyle}>
        <div role="presentation" style={drawnStyle}>
          {indexes.map((index, place) => {
            const row = rows[index];
            return row === undefined ? null : (
              <JsonTreeRow
                key={place}
                id={`json-row-${index}`}
                row={row}
                isActive={index === active}
                isMarked={isMarked(row)}
                isRedacted={redacted.size > 0 && redacted.has(pathOf(row))}
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
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  scroller: css({
    overflow: 'auto',
    background: theme.colors.background.canvas,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  rows: css({ minWidth: 'max-content' }),
});
