/** docs/compliance.md promises tests by file and title: each of them exists. Whether it passes is theirs to say. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/compliance.md', root), 'utf8');
const named = [...page.matchAll(/`([\w/.-]+\.test\.ts)` › (.+?)(?=<br>| +\|)/g)].map(
  (one) => [one[1] ?? '', one[2] ?? ''] as const
);

it.each(named)('%s has the test “%s”', (file, title) => {
  expect(existsSync(new URL(file, root))).toBe(true);
  expect(readFileSync(new URL(file, root), 'utf8')).toContain(title);
});

it('names a test for each control', () => {
  const rows = page.split('\n').filter((line) => /^\| (?!control|---)/.test(line));
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.filter((row) => !row.includes('.test.ts` › '))).toEqual([]);
});
