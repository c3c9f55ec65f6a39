/**
 * The other thread: shapes one body after the other with the redaction it was started with. Started by
 * shaping-thread.ts. An answer without a result means that it failed; no text of an error leaves this thread.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { shapeBody } from './body-shaping.ts';
import type { BodyToShape } from './body-shaping.ts';
import { createRedaction } from './redaction.ts';
import type { RedactedBody, RedactionOptions } from './redaction.ts';

export interface ShapingRequest {
  readonly id: number;
  readonly body: BodyToShape;
}

export interface ShapingAnswer {
  readonly id: number;
  readonly shaped?: RedactedBody;
}

const redaction = createRedaction(workerData as RedactionOptions);

parentPort?.on('message', ({ id, body }: ShapingRequest) => {
  parentPort?.postMessage({ id, ...shaped(body) } satisfies ShapingAnswer);
});

function shaped(body: BodyToShape): { shaped?: RedactedBody } {
  try {
    return { shaped: shapeBody(body, (whole) => redaction.body(whole)) };
  } catch {
    return {};
  }
}
