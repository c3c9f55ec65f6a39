/**
 * Text of any length: drawn row by row as it is scrolled to, long lines broken to the width. Shown as text only;
 * characters that would act are made visible.
 */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useEffect, useMemo } from 'react';
import { useWidth } from '../chart/useSize.ts';
import { formatCount } from '../format/numbers.ts';
import { visibleText } from '../format/visible-text.ts';
import { useRowWindow } from '../table/useRowWindow.ts';
import { textRows, type RowSource } from './text-rows.ts';

interface VirtualTextProps {
  readonly text: string;
  readonly label: string;
  readonly maxHeightPx: number;
  /** offset of what was found */
  readonly markAt?: number | undefined;
  /** how the text becomes rows; must stay the same function */
  readonly toRows?: (text: string, charsPerRow: number) => RowSource;
}

const ROW_PX = 18;
/** of the monospace font at Grafana's small size */
const CHAR_PX = 7.3;
const GUTTER_PX = 64;

export function VirtualText({ text, label, maxHeightPx, markAt, toRows = textRows }: VirtualTextProps) {
  const styles = useStyles2(getStyles);
  const [outer, width] = useWidth<HTMLDivElement>();
  const charsPerRow = Math.floor((width - GUTTER_PX) / CHAR_PX);
  // nothing fits before the frame has a width
  const rows = useMemo(() => toRows(width === 0 ? '' : text, charsPerRow), [toRows, text, width, charsPerRow]);
  const { ref, indexes, wholeStyle, drawnStyle, scrollTo } = useRowWindow({ count: rows.count, rowPx: ROW_PX });
  const marked = markAt === undefined ? undefined : rows.indexAt(markAt);
  useEffect(() => {
    if (marked !== undefined) scrollTo(marked, 'center');
  }, [marked, scrollTo]);
  return (
    <div ref={outer}>
      <div
        ref={ref}
        className={styles.scroller}
        style={{ height: Math.min(maxHeightPx, rows.count * ROW_PX + 2) }}
        tabIndex={0}
        role="region"
        aria-label={label}
        data-own-keys
      >
        <div style={wholeStyle}>
          <div style={drawnStyle}>
            {indexes.map((index, place) => {
              const row = rows.row(index);
              return (
                <div key={place} className={cx(styles.row, index === marked && styles.marked)}>
                  <span className={styles.label} data-label={row.label} aria-hidden />
                  {visibleText(row.text)}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {rows.isCut && <p>{formatCount(rows.count)} lines are shown here; the file that you download has all of them.</p>}
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
  row: css({
    height: ROW_PX,
    lineHeight: `${ROW_PX}px`,
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
    whiteSpace: 'pre',
    unicodeBidi: 'plaintext',
  }),
  marked: css({ background: theme.colors.warning.transparent }),
  label: css({
    display: 'inline-block',
    width: theme.spacing(6),
    marginRight: theme.spacing(1),
    paddingRight: theme.spacing(1),
    textAlign: 'right',
    userSelect: 'none',
    '&::before': { content: 'attr(data-label)', color: theme.colors.text.disabled },
  }),
});
