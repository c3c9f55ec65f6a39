/** An event stream as it passed, taken apart into its events. Only for showing. */
import { parseJson, type Json } from './json.ts';

export interface SseEvent {
  readonly event?: string;
  readonly id?: string;
  /** parsed where it is JSON */
  readonly data: Json;
}

export function sseEvents(text: string): readonly SseEvent[] {
  return text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map(eventOf)
    .filter((event) => event !== undefined);
}

function eventOf(block: string): SseEvent | undefined {
  const data: string[] = [];
  let event: string | undefined;
  let id: string | undefined;
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id') id = value;
  }
  if (data.length === 0) return undefined;
  const joined = data.join('\n');
  return {
    ...(event === undefined ? {} : { event }),
    ...(id === undefined ? {} : { id }),
    data: parseJson(joined) ?? joined,
  };
}
