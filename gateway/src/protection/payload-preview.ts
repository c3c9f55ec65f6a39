/**
 * What is kept of a body that was cut at the capture cap: still JSON if it was JSON, whole events if it was an event
 * stream, whole characters if it was text. The head of the payload says that it was cut; nothing is added in the body.
 */
import type { PayloadHead } from '../record/payload-events.ts';
import { jsonPreview } from './json-preview.ts';
import { splitSseEvents, sseData, sseText, withSseData } from './sse-events.ts';

export interface PayloadBody {
  readonly format: PayloadHead['format'];
  readonly bytes: Uint8Array;
}

export interface PreviewOptions {
  /** for bodies that are redacted next: half a secret is known by no pattern */
  readonly dropCutWord: boolean;
}

/** @param body the first part of a body */
export function payloadPreview(body: PayloadBody, options: PreviewOptions): PayloadBody {
  const text = decodeCut(body.bytes);
  // Not UTF-8: no structure to keep. Redaction, if it comes next, drops such a body.
  if (text === undefined) return { format: 'text', bytes: body.bytes };
  if (body.format === 'json') {
    const preview = jsonPreview(text, options);
    return preview === undefined ? textPreview(text, options) : { format: 'json', bytes: Buffer.from(preview) };
  }
  return body.format === 'sse' ? ssePreview(text, options) : textPreview(text, options);
}

/** Whole events; of the cut one its JSON as far as it came, else a single huge event would leave nothing. */
function ssePreview(text: string, options: PreviewOptions): PayloadBody {
  const events = splitSseEvents(text);
  const whole = events.filter((event) => event.complete);
  const cut = events.find((event) => !event.complete);
  const preview = cut === undefined ? undefined : jsonPreview(sseData(cut), options);
  if (cut === undefined || preview === undefined) return { format: 'sse', bytes: Buffer.from(sseText(whole)) };
  const shortened = withSseData(cut, preview);
  const lastLine = shortened.lines.at(-1);
  const newline = shortened.lines[0]?.end === '\r\n' ? '\r\n' : '\n';
  const ending = lastLine?.end === '' ? newline + newline : newline;
  return { format: 'sse', bytes: Buffer.from(sseText([...whole, shortened]) + ending) };
}

function textPreview(text: string, options: PreviewOptions): PayloadBody {
  const kept = options.dropCutWord ? text.replace(/[\d -]*$/, '').replace(/\S*$/, '') : text;
  return { format: 'text', bytes: Buffer.from(kept) };
}

/** Leaves out the first bytes of a character that was cut; undefined if it is no UTF-8 before that. */
function decodeCut(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
