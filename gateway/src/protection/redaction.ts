/**
 * The one redaction point: everything that leaves the process as a payload passes here, before it is sealed. Headers
 * lose their credentials in every capture mode, bodies in mode `redacted` only. Where it cannot be sure that nothing
 * secret is left it drops the body and says so. It never throws and never logs.
 */
import type { HeaderList } from '../mcp/observer.ts';
import { createHeaderRedaction } from './header-redaction.ts';
import type { RedactedHeaders } from './header-redaction.ts';
import { redactJson } from './json-redaction.ts';
import type { PayloadBody } from './payload-preview.ts';
import { splitSseEvents, sseData, sseText, withSseData } from './sse-events.ts';
import { createTextRedactor } from './text-redaction.ts';
import type { TextRedactionOptions, TextRedactor } from './text-redaction.ts';

/** `capture.redaction` of the configuration: own header names and JSON keys, e-mail addresses on demand. */
export type RedactionOptions = TextRedactionOptions;

export interface RedactedBody extends PayloadBody {
  /** JSON paths, or `text:<kind>`, behind `event[<n>]:` in event streams; `$` alone: the body was dropped */
  readonly found: readonly string[];
}

export interface Redaction {
  headers(headers: HeaderList): RedactedHeaders;
  /** @returns the same bytes when there was nothing to redact */
  body(body: PayloadBody): RedactedBody;
}

/** Stands for a body that could not be redacted with certainty. */
export const DROPPED_BODY = '[redacted:dropped]';
const REPORTED_AT_MOST = 200;

export function createRedaction(options: RedactionOptions = {}): Redaction {
  const redactor = createTextRedactor(options);
  return {
    headers: createHeaderRedaction(redactor),
    body(body) {
      try {
        return redactBody(body, redactor);
      } catch {
        return { format: 'text', bytes: Buffer.from(DROPPED_BODY), found: ['$'] };
      }
    },
  };
}

function redactBody(body: PayloadBody, redactor: TextRedactor): RedactedBody {
  // Throws when it is no UTF-8; NUL tells UTF-16 and binaries. No rule reads those.
  const text = new TextDecoder('utf-8', { fatal: true }).decode(body.bytes);
  if (text.includes('\0')) throw new TypeError('not a text');
  const narrowed = redactor.narrowedTo(text);
  if (narrowed === undefined) return { ...body, found: [] };
  const redacted = body.format === 'sse' ? redactSse(text, narrowed) : redactPiece(text, narrowed);
  if (redacted === undefined) return { ...body, found: [] };
  const format = body.format === 'json' && !redacted.isJson ? 'text' : body.format;
  return { format, bytes: Buffer.from(redacted.text), found: shortened(redacted.found) };
}

interface Redacted {
  readonly text: string;
  readonly found: readonly string[];
  readonly isJson: boolean;
}

/** As JSON when it is valid JSON, else by the rules for text, which know `"key": "value"` as well. */
function redactPiece(text: string, redactor: TextRedactor): Redacted | undefined {
  if (looksLikeJson(text) && isJson(text)) {
    const redacted = redactJson(text, redactor);
    return redacted === undefined ? undefined : { text: redacted.text, found: redacted.paths, isJson: true };
  }
  const redacted = redactor.redact(text);
  if (redacted === undefined) return undefined;
  return { text: redacted.text, found: redacted.found.map((kind) => `text:${kind}`), isJson: false };
}

function redactSse(text: string, redactor: TextRedactor): Redacted | undefined {
  const found: string[] = [];
  const events = splitSseEvents(text).map((event, index) => {
    const data = redactPiece(sseData(event), redactor);
    const redacted = data === undefined ? event : withSseData(event, data.text);
    for (const one of data?.found ?? []) found.push(`event[${index}]:${one}`);
    const lines = redacted.lines.map((line) => {
      const other = line.field === 'data' ? undefined : redactor.redact(line.value);
      if (other === undefined) return line;
      found.push(`event[${index}]:${line.field === '' ? 'comment' : line.field}`);
      return { ...line, value: other.text };
    });
    return { ...redacted, lines };
  });
  return found.length === 0 ? undefined : { text: sseText(events), found, isJson: false };
}

function looksLikeJson(text: string): boolean {
  return /^\s*[[{"\d-]/.test(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The head is a part of every payload and must stay small. */
function shortened(found: readonly string[]): readonly string[] {
  if (found.length <= REPORTED_AT_MOST) return found;
  return [...found.slice(0, REPORTED_AT_MOST), `… and ${found.length - REPORTED_AT_MOST} more`];
}
