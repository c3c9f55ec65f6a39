/**
 * Text of any length: drawn line by line as it is scrolled to, long lines broken to the width. Shown as text only;
 * characters that would act are made visible.
 */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';
import { useWidth } from '../chart/useSize.ts';
import { visibleText } from '../format/visible-text.ts';
import { textLines } from './text-lines.ts';

interface VirtualTextProps {
  readonly text: string;
  readonly label: string;
  readonly maxHeightPx: number;
  /** offset and length of what was found */
  readonly mark?: { readonly at: number; readonly length: number } | undefined;
}

const LINE_PX = 18;
/** of the monospace font at Grafana's small size */
const CHAR_PX = 7.3;
const GUTTER_PX = 64;

export function VirtualText({ text, label, maxHeightPx, mark }: VirtualTextProps) {
  const styles = useStyles2(getStyles);
  const [outer, width] = useWidth<HTMLDivElement>();
  const scroller = useRef<HTMLDivElement>(null);
  const charsPerLine = Math.floor((width - GUTTER_PX) / CHAR_PX);
  const lines = useMemo(() => textLines(text, charsPerLine), [text, charsPerLine]);
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 10,
  });
  const markAt = mark?.at;
  useEffect(() => {
    if (markAt === undefined) return;
    const index = lines.findIndex(({ start, end }) => start <= markAt && markAt < end);
    if (index >= 0) virtualizer.scrollToIndex(index, { align: 'center' });
  }, [markAt, lines, virtualizer]);
  return (
    <div ref={outer}>
      <div
        ref={scroller}
        className={styles.scroller}
        style={{ height: Math.min(maxHeightPx, lines.length * LINE_PX + 2) }}
        tabIndex={0}
        role="region"
        aria-label={label}
        data-own-keys
      >
        <div className={styles.lines} style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, start: top }) => {
            const line = lines[index];
            if (line === undefined) return null;
            const isMarked = markAt !== undefined && line.start <= markAt && markAt < line.end;
            return (
              <div
                key={index}
                className={cx(styles.line, isMarked && styles.marked)}
                style={{ transform: `translateY(${top}px)` }}
              >
                <span className={styles.number} data-line={line.number} aria-hidden />
                {visibleText(text.slice(line.start, line.end))}
              </div>
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
  lines: css({ position: 'relative' }),
  line: css({
    position: 'absolute',
    top: 0,
    height: LINE_PX,
    width: '100%',
    lineHeight: `${LINE_PX}px`,
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
    whiteSpace: 'pre',
    unicodeBidi: 'plaintext',
  }),
  marked: css({ background: theme.colors.warning.transparent }),
  number: css({
    display: 'inline-block',
    width: theme.spacing(6),
    marginRight: theme.spacing(1),
    paddingRight: theme.spacing(1),
    textAlign: 'right',
    userSelect: 'none',
    '&::before': { content: 'attr(data-line)', color: theme.colors.text.disabled },
  }),
});
