/**
 * Whether a POST body is what the gateway can read: JSON, in UTF-8, not compressed. Anything else could mean one thing
 * here and another upstream.
 */
import type { IncomingMessage } from 'node:http';
import type { Refusal } from './refusal.ts';

const NOT_JSON: Refusal = {
  code: 'media_type_unsupported',
  message: 'Send the body as Content-Type: application/json.',
};
const NOT_UTF8: Refusal = { code: 'media_type_unsupported', message: 'Send the body as JSON in UTF-8.' };
const COMPRESSED: Refusal = { code: 'media_type_unsupported', message: 'Send the body without Content-Encoding.' };

export function mediaTypeProblem(req: IncomingMessage): Refusal | undefined {
  const type = req.headers['content-type'];
  if (type === undefined) return NOT_JSON;
  if (type !== 'application/json') {
    const [essence = '', ...parameters] = type.split(';').map((part) => part.trim().toLowerCase());
    if (essence !== 'application/json') return NOT_JSON;
    // all of them: another reader could take the last one, or tell quoted ones apart from real ones
    const charsets = parameters.filter((one) => one.startsWith('charset'));
    if (!charsets.every((one) => /^charset\s*=\s*"?utf-?8"?$/.test(one))) return NOT_UTF8;
  }
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') return COMPRESSED;
  return undefined;
}
