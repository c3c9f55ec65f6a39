import { describe, expect, test } from 'vitest';
import { DEFAULT_OBJECT_NAME, objectName, templateProblem } from './object-name.ts';

const NS = 1_000_000n;
const VALUES = {
  schedule: '../../etc/Käse & co',
  fromNs: BigInt(Date.parse('2026-11-24T08:00:00Z')) * NS,
  toNs: BigInt(Date.parse('2026-11-24T09:00:00Z')) * NS,
  supplement: 0,
  part: 1,
  extension: 'jsonl.gz',
};

describe('names of objects', () => {
  test('hold the window, and of the name of a schedule what is harmless', () => {
    expect(objectName(DEFAULT_OBJECT_NAME, VALUES)).toBe(
      'etc-Ka-se-co/2026/11/24/20261124T080000Z_20261124T090000Z-0001.jsonl.gz'
    );
    expect(objectName(DEFAULT_OBJECT_NAME, { ...VALUES, supplement: 2 })).toContain('_20261124T090000Z-late2-0001');
  });

  test.each([
    ['../{from}{supplement}-{part}'],
    ['/tmp/{from}{supplement}-{part}'],
    ['a/./{from}{supplement}-{part}'],
    ['a//{from}{supplement}-{part}'],
    ['a\\..\\{from}{supplement}-{part}'],
    ['{from}{supplement}'],
    ['{part}{supplement}'],
    ['{from}-{part}'],
    ['{part}/{from}{supplement}'],
    ['{from}{supplement}-{part}{secret}'],
    ['{from}{supplement}-{part}\n'],
    ['{from}{supplement}-{part}{'],
    ['~/{from}{supplement}-{part}'],
  ])('%j is refused', (template) => {
    expect(templateProblem(template)).toMatch(/./);
    expect(() => objectName(template, VALUES)).toThrow();
  });
});
