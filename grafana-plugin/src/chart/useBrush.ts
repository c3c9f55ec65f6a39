/** Drawing a span of time with the pointer. Escape lets go of it; a mere click draws nothing. */
import { useEffect, useState, type PointerEvent } from 'react';

/** Shorter ones are clicks. */
const MIN_DRAG_PX = 5;

export interface Brush {
  /** while drawing: from and to in pixels of the element */
  readonly span: readonly [number, number] | undefined;
  readonly handlers: {
    onPointerDown(event: PointerEvent): void;
    onPointerMove(event: PointerEvent): void;
    onPointerUp(event: PointerEvent): void;
    onPointerCancel(): void;
  };
}

export function useBrush(onSpan: (fromPx: number, toPx: number) => void): Brush {
  const [drag, setDrag] = useState<readonly [number, number]>();
  useEffect(() => {
    if (drag === undefined) return undefined;
    const letGo = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setDrag(undefined);
    };
    document.addEventListener('keydown', letGo);
    return () => document.removeEventListener('keydown', letGo);
  }, [drag]);
  return {
    span: drag === undefined || Math.abs(drag[1] - drag[0]) < MIN_DRAG_PX ? undefined : ordered(drag),
    handlers: {
      onPointerDown: (event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const x = offsetX(event);
        setDrag([x, x]);
      },
      onPointerMove: (event) => {
        if (drag !== undefined) setDrag([drag[0], offsetX(event)]);
      },
      onPointerUp: (event) => {
        if (drag === undefined) return;
        setDrag(undefined);
        const [from, to] = ordered([drag[0], offsetX(event)]);
        if (to - from >= MIN_DRAG_PX) onSpan(from, to);
      },
      onPointerCancel: () => setDrag(undefined),
    },
  };
}

function ordered([a, b]: readonly [number, number]): readonly [number, number] {
  return a <= b ? [a, b] : [b, a];
}

function offsetX(event: PointerEvent): number {
  const { left, width } = event.currentTarget.getBoundingClientRect();
  return Math.min(Math.max(event.clientX - left, 0), width);
}
