/**
 * What happens to a captured body before it is sealed, in order: a preview where it was cut, redaction where the mode
 * asks for it. A pure step, so that it runs on the event loop for small bodies and on another thread for large ones.
 */
import { payloadPreview } from './payload-preview.ts';
import type { PayloadBody } from './payload-preview.ts';
import type { RedactedBody } from './redaction.ts';

export interface BodyToShape extends PayloadBody {
  /** cut at the capture cap */
  readonly truncated: boolean;
  readonly mode: 'full' | 'redacted';
}

/** @returns the same bytes when there was nothing to do */
export function shapeBody(body: BodyToShape, redact: (body: PayloadBody) => RedactedBody): RedactedBody {
  const { format, bytes } = body;
  // What is redacted next must not end in half a secret, which is known by no pattern.
  const whole = body.truncated
    ? payloadPreview({ format, bytes }, { dropCutWord: body.mode === 'redacted' })
    : { format, bytes };
  return body.mode === 'redacted' ? redact(whole) : { ...whole, found: [] };
}
