/** Server-sent events as they arrive: bytes in, whole events out. Keeps the beginning of an event until its end is there. */

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

export class EventStreamParser {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** @returns events that are complete now; comments are none */
  push(chunk: Uint8Array): readonly StreamEvent[] {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    const blocks = this.#rest.split(/\r\n\r\n|\n\n/);
    this.#rest = blocks.pop() ?? '';
    return blocks.map(eventOf).filter((event) => event !== undefined);
  }
}

function eventOf(block: string): StreamEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r\n|\n/)) {
    if (line.startsWith('event:')) event = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') };
}
