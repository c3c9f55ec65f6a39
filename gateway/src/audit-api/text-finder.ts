/**
 * Finds a text in an opened payload: in bodies and in header lines, in any case, as it stands or as JSON writes it. No
 * pattern language, so no text can make it slow. What it gives back is payload.
 */
import type { CallPayload, SearchHit } from './contract.ts';

const AROUND_CHARS = 80;
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

export function createTextFinder(text: string): (payload: CallPayload) => SearchHit[] {
  const escaped = JSON.stringify(text).slice(1, -1);
  // letters as numbers have no case in common
  const numbered = [escaped, escaped.toLowerCase(), escaped.toUpperCase()].map(asAscii);
  const forms = [...new Set([text, escaped, ...numbered])].map((form) => form.replace(SYNTAX, '\\$&'));
  const pattern = new RegExp(forms.join('|'), 'giu');

  return (payload) => {
    const hits: SearchHit[] = [];
    for (const direction of ['request', 'response'] as const) {
      const { state, headers = [], bodyText, bodyBase64 } = payload[direction];
      if (state !== 'opened') continue;
      const head = headers.map(([name, value]) => `${name}: ${value}`).join('\n');
      const body = bodyText ?? (bodyBase64 === undefined ? '' : Buffer.from(bodyBase64, 'base64').toString());
      for (const [place, where] of [
        ['headers', head],
        ['body', body],
      ] as const) {
        const found = hitIn(where, pattern);
        if (found !== undefined) hits.push({ direction, place, ...found });
      }
    }
    return hits;
  };
}

function asAscii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function hitIn(where: string, pattern: RegExp): { count: number; snippet: string } | undefined {
  let count = 0;
  let snippet = '';
  for (const match of where.matchAll(pattern)) {
    if (count === 0) {
      const from = Math.max(0, match.index - AROUND_CHARS);
      const to = match.index + match[0].length + AROUND_CHARS;
      // half of a character at the edge would be none
      snippet = where.slice(from, to).toWellFormed();
    }
    count += 1;
  }
  return count === 0 ? undefined : { count, snippet };
}
