/**
 * Cuts a server-sent event stream into events and lines without changing a byte: joined again they are the same text.
 * Used where a captured stream is redacted or cut to a preview. Not the parser of the relay.
 */

export interface SseLine {
  /** `data`, `event`, `id`, `retry`, or `''` for comments and blank lines */
  readonly field: string;
  /** name, colon and the one blank behind it, as written */
  readonly prefix: string;
  readonly value: string;
  /** `\n`, `\r\n`, `\r`, or `''` where the text was cut */
  readonly end: string;
}

/** One event with its closing blank line; the last may lack it. */
export interface SseEvent {
  readonly lines: readonly SseLine[];
  readonly complete: boolean;
}

export function splitSseEvents(text: string): SseEvent[] {
  const events: SseEvent[] = [];
  let lines: SseLine[] = [];
  for (const line of splitLines(text)) {
    lines.push(line);
    if (line.prefix === '' && line.value === '' && line.end !== '') {
      events.push({ lines, complete: true });
      lines = [];
    }
  }
  if (lines.length > 0) events.push({ lines, complete: false });
  return events;
}

/** What the event carries: its data lines joined as the standard says. */
export function sseData(event: SseEvent): string {
  return event.lines
    .filter((line) => line.field === 'data')
    .map((line) => line.value)
    .join('\n');
}

/** The event with other data, written in as many data lines as that has. */
export function withSseData(event: SseEvent, data: string): SseEvent {
  const first = event.lines.findIndex((line) => line.field === 'data');
  const model = event.lines[first];
  if (model === undefined) return event;
  const others = event.lines.filter((line, at) => line.field !== 'data' || at < first);
  const dataLines = data.split(/\r\n|\r|\n/).map((value) => ({ ...model, value }));
  return { ...event, lines: [...others.slice(0, first), ...dataLines, ...others.slice(first)] };
}

export function sseText(events: readonly SseEvent[]): string {
  let text = '';
  for (const event of events) for (const line of event.lines) text += line.prefix + line.value + line.end;
  return text;
}

function splitLines(text: string): SseLine[] {
  const lines: SseLine[] = [];
  const lineEnd = /\r\n|\r|\n/g;
  for (let at = 0; at < text.length;) {
    lineEnd.lastIndex = at;
    const end = lineEnd.exec(text);
    lines.push(parseLine(text.slice(at, end?.index ?? text.length), end?.[0] ?? ''));
    at = end === null ? text.length : lineEnd.lastIndex;
  }
  return lines;
}

function parseLine(line: string, end: string): SseLine {
  const known = /^(data|event|id|retry)(?:: ?|$)/.exec(line);
  if (known === null) return { field: '', prefix: '', value: line, end };
  const prefix = known[0];
  return { field: known[1] ?? '', prefix, value: line.slice(prefix.length), end };
}
