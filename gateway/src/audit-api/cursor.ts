/**
 * The cursor of a list: the position of the last row of a page, (started_at ns, id), as one opaque word. It grants
 * nothing, so it is not signed: whoever writes one of their own only starts at another place among their own rows.
 */
import type { Position } from '../store/queries/audit-log.ts';
import { badParameter } from './api-error.ts';

const VERSION = 'c1';
const SHAPE = /^c1 (\d{1,19}) ([0-9A-Za-z_-]{0,64})$/;
const LATEST_NS = 9_223_372_036_854_775_806n;

export function encodeCursor(position: Position): string {
  return Buffer.from(`${VERSION} ${position.startedNs} ${position.callId}`, 'latin1').toString('base64url');
}

/** Throws ApiError `invalid_request`. */
export function decodeCursor(cursor: string): Position {
  const bytes = Buffer.from(cursor, 'base64url');
  const match = SHAPE.exec(bytes.toString('latin1'));
  const startedNs = BigInt(match?.[1] ?? -1);
  const callId = match?.[2];
  // base64url is lenient; only what encodeCursor writes is taken
  if (callId === undefined || startedNs > LATEST_NS || encodeCursor({ startedNs, callId }) !== cursor) {
    throw badParameter('cursor', 'use nextCursor of the page before, unchanged');
  }
  return { startedNs, callId };
}
