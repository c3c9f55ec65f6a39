/**
 * Makes characters visible that would act instead of being shown: control codes (ANSI), bidirectional overrides,
 * zero-width characters, lone surrogates. Payloads are evidence; what a reader sees must be what was sent.
 */

/** C0 without tab and newlines, DEL, C1, bidi and zero-width characters, BOM, line separators, lone surrogates. */
const ACTING =
  // eslint-disable-next-line no-control-regex -- to find control characters is the point
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;

export function visibleText(text: string): string {
  return text.replace(ACTING, (found) => {
    const code = found.codePointAt(0) ?? 0;
    // the pictures of the C0 controls, e.g. ␛
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

export function hasActingCharacters(text: string): boolean {
  ACTING.lastIndex = 0;
  return ACTING.test(text);
}
