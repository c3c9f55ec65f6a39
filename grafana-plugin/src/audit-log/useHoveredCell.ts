/** Which cell the pointer is on, found by delegation, so that only one cell of the table carries actions. */
import { useCallback, useState, type MouseEvent } from 'react';

interface Cell {
  readonly row: number;
  readonly column: string;
}

export function useHoveredCell() {
  const [cell, setCell] = useState<Cell>();
  const onMouseOver = useCallback((event: MouseEvent) => {
    const found = event.target instanceof Element ? event.target.closest('[data-column]') : null;
    const line = found?.closest('[data-row]');
    if (!(found instanceof HTMLElement && line instanceof HTMLElement)) return;
    const { column = '' } = found.dataset;
    const { row = '' } = line.dataset;
    setCell((now) => (now?.row === Number(row) && now.column === column ? now : { row: Number(row), column }));
  }, []);
  const onMouseLeave = useCallback(() => setCell(undefined), []);
  return { cell, handlers: { onMouseOver, onMouseLeave } };
}
