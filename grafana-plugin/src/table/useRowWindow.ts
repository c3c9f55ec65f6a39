/**
 * Which rows of a long list are drawn: those in sight and a few around them. All rows have one height, so nothing is
 * measured but the frame. The window moves in steps and keeps its size, so that scrolling changes the text of rows that
 * are there instead of making new ones: what is made and thrown away in hundreds a second slows the browser down.
 */
import { useCallback, useLayoutEffect, useRef, useState, type CSSProperties, type RefObject } from 'react';
import { flushSync } from 'react-dom';

interface RowWindowOptions {
  readonly count: number;
  readonly rowPx: number;
  /** of a head that stays in sight above the rows, in the same frame */
  readonly headPx?: number;
  /** told how far down the frame is; must stay the same function */
  readonly onScroll?: (topPx: number) => void;
}

export interface RowWindow {
  /** of the element that scrolls */
  readonly ref: RefObject<HTMLDivElement | null>;
  /** indexes of the rows to draw, in order */
  readonly indexes: readonly number[];
  /** of the element around all rows: as high as if all of them were there */
  readonly wholeStyle: CSSProperties;
  /** of the element around the rows that are drawn */
  readonly drawnStyle: CSSProperties;
  /** scrolls as little as it takes, or into the middle */
  scrollTo(index: number, place?: 'nearest' | 'center'): void;
}

/** rows by which the window moves */
const STEP_ROWS = 4;
/** rows above and below those in sight */
const AROUND_ROWS = 12;

export function useRowWindow({ count, rowPx, headPx = 0, onScroll }: RowWindowOptions): RowWindow {
  const ref = useRef<HTMLDivElement>(null);
  const [step, setStep] = useState(0);
  const [fitting, setFitting] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const fit = () => setFitting(Math.ceil(element.clientHeight / rowPx));
    const scrolled = () => {
      const topPx = element.scrollTop;
      // drawn before the browser paints what was scrolled to
      flushSync(() => {
        setStep(Math.floor(topPx / rowPx / STEP_ROWS));
        onScroll?.(topPx);
      });
    };
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', scrolled);
    };
  }, [rowPx, onScroll]);
  const size = Math.min(count, fitting + STEP_ROWS + 2 * AROUND_ROWS);
  const first = Math.max(0, Math.min(step * STEP_ROWS - AROUND_ROWS, count - size));
  const scrollTo = useCallback(
    (index: number, place: 'nearest' | 'center' = 'nearest') => {
      const element = ref.current;
      if (element === null) return;
      const top = index * rowPx;
      const inSightPx = element.clientHeight - headPx;
      if (place === 'center') element.scrollTop = top - (inSightPx - rowPx) / 2;
      else if (top < element.scrollTop) element.scrollTop = top;
      else if (top + rowPx > element.scrollTop + inSightPx) element.scrollTop = top + rowPx - inSightPx;
    },
    [rowPx, headPx]
  );
  return {
    ref,
    indexes: Array.from({ length: size }, (_unused, place) => first + place),
    wholeStyle: { height: count * rowPx },
    drawnStyle: { transform: `translateY(${first * rowPx}px)` },
    scrollTo,
  };
}
