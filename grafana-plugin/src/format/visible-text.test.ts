import { describe, expect, it } from 'vitest';
import { hasActingCharacters, visibleText } from './visible-text.ts';

describe('text that would act', () => {
  it.each([
    ['\u001b[31mred', '␛[31mred'],
    ['a\u202egnp.exe', 'a⟨U+202E⟩gnp.exe'],
    ['zero\u200bwidth', 'zero⟨U+200B⟩width'],
    ['tag\u{e0041}', 'tag⟨U+E0041⟩'],
    ['\ud800', '⟨U+D800⟩'],
    ['\u0000', '␀'],
  ])('%j is shown as %s', (text, shown) => {
    expect(visibleText(text)).toBe(shown);
    expect(hasActingCharacters(text)).toBe(true);
  });

  it.each(['tab\tand\nnewline', 'Ünïcödé 日本語 😀 عربى', '<script>alert(1)</script>'])('%j stays as it is', (text) => {
    expect(visibleText(text)).toBe(text);
    expect(hasActingCharacters(text)).toBe(false);
  });
});
