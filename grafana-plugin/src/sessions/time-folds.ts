/**
 * Time with its pauses folded: an agent works for seconds and waits for minutes. What lies close together keeps its
 * proportions; a pause becomes a narrow mark of fixed width. Pure functions.
 */

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface Pause extends Span {
  /** where its mark stands */
  readonly px: number;
}

export interface FoldedTime {
  readonly pauses: readonly Pause[];
  readonly widthPx: number;
  /** pixels of an instant */
  x(ms: number): number;
}

/** Width of a folded pause. */
export const PAUSE_PX = 28;
/** as part of the busy time, and at least so long */
const PAUSE_SHARE = 0.15;
const PAUSE_LEAST_MS = 2000;

export function foldTime(spans: readonly Span[], widthPx: number): FoldedTime {
  const busy = mergeSpans(spans, 0);
  const busyMs = busy.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const pieces = mergeSpans(spans, Math.max(PAUSE_LEAST_MS, busyMs * PAUSE_SHARE));
  const pieceMs = pieces.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const forPauses = Math.max(0, pieces.length - 1) * PAUSE_PX;
  const pxPerMs = pieceMs === 0 ? 0 : Math.max(0, widthPx - forPauses) / pieceMs;
  const placed: { readonly span: Span; readonly px: number }[] = [];
  const pauses: Pause[] = [];
  let px = 0;
  for (const span of pieces) {
    const before = placed.at(-1);
    if (before !== undefined) {
      pauses.push({ startMs: before.span.endMs, endMs: span.startMs, px });
      px += PAUSE_PX;
    }
    placed.push({ span, px });
    px += (span.endMs - span.startMs) * pxPerMs;
  }
  return {
    pauses,
    widthPx,
    x: (ms) => {
      const piece = placed.findLast(({ span }) => span.startMs <= ms) ?? placed[0];
      if (piece === undefined) return 0;
      return piece.px + (Math.min(Math.max(ms, piece.span.startMs), piece.span.endMs) - piece.span.startMs) * pxPerMs;
    },
  };
}

/** Spans that overlap or lie no further apart than `withinMs` become one. */
function mergeSpans(spans: readonly Span[], withinMs: number): readonly Span[] {
  const merged: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of [...spans].sort((a, b) => a.startMs - b.startMs)) {
    const last = merged.at(-1);
    if (last === undefined || startMs - last.endMs > withinMs) merged.push({ startMs, endMs });
    else last.endMs = Math.max(last.endMs, endMs);
  }
  return merged;
}
