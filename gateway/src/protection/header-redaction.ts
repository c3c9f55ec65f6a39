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
  /** `headers` as JSON, for the head of a payload */
  readonly json: string;
}

interface RedactedHeader {
  readonly pair: readonly [name: string, value: string];
  readonly json: string;
}

/** Header names whose last value is remembered. */
const REMEMBERED_NAMES = 256;
const REMEMBERED_CHARACTERS = 256;

/**
 * The same headers come with every call of a client, so the last value of each name is remembered together with its
 * JSON: of harmless values only, since a credential must not outlive its call.
 */
export function createHeaderRedaction(redactor: TextRedactor): (headers: HeaderList) => RedactedHeaders {
  const harmless = new Map<string, RedactedHeader>();
  const remember = (header: RedactedHeader): void => {
    const [name, value] = header.pair;
    if (name.length + value.length > REMEMBERED_CHARACTERS) return;
    if (harmless.size >= REMEMBERED_NAMES) harmless.clear();
    harmless.set(name, header);
  };
  return (headers) => {
    const found: string[] = [];
    const redacted: (readonly [string, string])[] = [];
    let json = '';
    for (const [name, value] of headers) {
      let header = harmless.get(name);
      if (header?.pair[1] !== value) {
        const replaced = redactHeader(name, value, redactor);
        const pair = [name, replaced] as const;
        header = { pair, json: JSON.stringify(pair) };
        if (replaced === value) remember(header);
        else found.push(`header:${name.toLowerCase()}`);
      }
      redacted.push(header.pair);
      json += json === '' ? header.json : `,${header.json}`;
    }
    return { headers: redacted, found, json: `[${json}]` };
  };
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
