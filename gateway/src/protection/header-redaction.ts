/**
 * Redacts HTTP headers, in every capture mode: credentials never enter a payload, not even sealed. The scheme and the
 * class of length stay, as they help to find out why a server said no. Part of the redaction point.
 */
import type { HeaderList } from '../mcp/observer.ts';
import { isCount } from './assignment-scan.ts';
import type { TextRedactor } from './text-redaction.ts';

/** Anything else in front of a blank may be a part of the credential. */
const SCHEME =
  /^(basic|bearer|digest|dpop|hoba|mutual|negotiate|ntlm|token|apikey|scram-sha-1|scram-sha-256|vapid|aws4-hmac-sha256) +(?=\S)/i;

export interface RedactedHeaders {
  readonly headers: HeaderList;
  /** `header:<lower-case name>` */
  readonly found: readonly string[];
}

export function redactHeaders(headers: HeaderList, redactor: TextRedactor): RedactedHeaders {
  const found: string[] = [];
  const redacted = headers.map(([name, value]): readonly [string, string] => {
    const replaced = redactHeader(name, value, redactor);
    if (replaced === value) return [name, value];
    found.push(`header:${name.toLowerCase()}`);
    return [name, replaced];
  });
  return { headers: redacted, found };
}

function redactHeader(name: string, value: string, redactor: TextRedactor): string {
  const sensitivity = redactor.names.header(name);
  if (sensitivity === 'yes' || (sensitivity === 'unless-count' && !isCount(value))) return placeholderFor(value);
  return redactor.redact(value)?.text ?? value;
}

function placeholderFor(value: string): string {
  if (value === '') return value;
  const scheme = SCHEME.exec(value);
  const secretLength = value.length - (scheme?.[0].length ?? 0);
  return `${scheme === null ? '' : `${scheme[1] ?? ''} `}[redacted:${lengthClass(secretLength)}]`;
}

function lengthClass(characters: number): string {
  if (characters <= 16) return '1-16';
  if (characters <= 64) return '17-64';
  if (characters <= 256) return '65-256';
  return 'over-256';
}
