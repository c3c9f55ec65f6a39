/** Which kinds of answer a client of a stdio server takes. */

export interface Acceptable {
  readonly json: boolean;
  readonly sse: boolean;
}

/** What the client takes, by its Accept header; a missing one takes all. */
export function acceptable(accept: string | undefined): Acceptable {
  if (accept === undefined) return { json: true, sse: true };
  const types = new Set(accept.split(',').map((part) => part.split(';', 1)[0]?.trim().toLowerCase()));
  const all = types.has('*/*');
  return {
    json: all || types.has('application/json') || types.has('application/*'),
    sse: all || types.has('text/event-stream') || types.has('text/*'),
  };
}
