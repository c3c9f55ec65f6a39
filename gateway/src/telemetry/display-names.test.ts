import { describe, expect, it } from 'vitest';
import { fakePseudonyms } from '../../test/telemetry/fake-seams.ts';
import { NameCatalog } from './catalog.ts';
import {
  displayAddress,
  displayErrorType,
  displayMethod,
  displayProtocolVersion,
  displayRpcId,
  displayServer,
  displayText,
  displayUri,
} from './display-names.ts';

describe('names in metadata', () => {
  it.each([
    ['plain', 'plain'],
    ['gr\u00fcn \u5317\u4eac', 'gr\u00fcn \u5317\u4eac'],
    ['line\nbreak\u0000\u007f', 'line\ufffdbreak\ufffd\ufffd'],
    ['evil\u202etxt.exe', 'evil\ufffdtxt.exe'],
    ['zero\u200bwidth\ufeff', 'zero\ufffdwidth\ufffd'],
    ['tag\u{e0041}\u{e0042}', 'tag\ufffd\ufffd'],
    ['lone \ud800 surrogate', 'lone \ufffd surrogate'],
    ['<b>&"\'; DROP TABLE', '<b>&"\'; DROP TABLE'],
  ])('%j becomes %j', (text, expected) => {
    expect(displayText(text)).toBe(expected);
    expect(displayText(text).isWellFormed()).toBe(true);
  });

  it('are capped, without half a character at the cut', () => {
    expect(displayText('x'.repeat(10_240))).toBe(`${'x'.repeat(255)}…`);
    const cut = displayText('\u{1f600}'.repeat(200));
    expect(cut.length).toBe(256);
    expect(cut.isWellFormed()).toBe(true);
  });

  it('methods are of the schema, or unknown', () => {
    expect(displayMethod('tools/call', 'request')).toBe('tools/call');
    expect(displayMethod('tasks/update', 'request')).toBe('tasks/update');
    expect(displayMethod('stream', 'stream')).toBe('stream');
    expect(displayMethod('stream', 'request')).toBe('(unknown)');
    expect(displayMethod('marker', 'request')).toBe('(unknown)');
    expect(displayMethod('', 'attempt')).toBe('(unknown)');
    expect(displayMethod('constructor', 'request')).toBe('(unknown)');
  });

  it('servers are of the configuration, or unlisted', () => {
    expect([displayServer('docs', true), displayServer('marker', false)]).toEqual(['docs', '(unlisted)']);
  });

  it.each([
    ['file:///home/ana/notes.md?token=marker#marker', 'file:///home/ana/notes.md'],
    ['https://ana:marker@example.com/a?b', 'https://example.com/a'],
    ['https://a@marker@example.com', 'https://example.com'],
    ['https://example.com/a@b', 'https://example.com/a@b'],
    ['https://example.com#marker?x', 'https://example.com'],
    ['data:text/plain,marker', 'data:'],
    ['DATA:/text/plain,marker', 'data:'],
    ['mailto:ana@example.com', 'mailto:'],
    ['urn:isbn:1', 'urn:isbn:1'],
    ['custom:/a/b?marker', 'custom:/a/b'],
    ['no scheme?marker', 'no scheme'],
    ['', ''],
  ])('URI %j becomes %j', (uri, expected) => {
    expect(displayUri(uri)).toBe(expected);
  });

  it.each([
    ['7', '7'],
    ['-12', '-12'],
    ['null', ''],
    [undefined, ''],
    ['"01a20d6d-5a00-7044-b7cf-192e4279ee22"', '01a20d6d-5a00-7044-b7cf-192e4279ee22'],
    ['"marker"', /^h:[0-9a-f]{32}$/],
    ['"7"', /^h:/],
    ['1.5', /^h:/],
    ['123456789012345678901234567890', /^h:/],
    ['{"id":"marker"}', /^h:/],
  ])('JSON-RPC id %s shows as %s', (id, expected) => {
    expect(displayRpcId(id, fakePseudonyms)).toMatch(
      expected instanceof RegExp ? expected : new RegExp(`^${expected}$`)
    );
  });

  it('error types, versions and addresses are classes, never texts', () => {
    expect(['-32601', 'tool_error', 'upstream_timeout', 'secret: marker', ''].map(displayErrorType)).toEqual([
      '-32601',
      'tool_error',
      'upstream_timeout',
      '_OTHER',
      '',
    ]);
    expect(['2025-11-25', 'DRAFT-2026-v1', 'marker', undefined].map(displayProtocolVersion)).toEqual([
      '2025-11-25',
      'DRAFT-2026-v1',
      '(unknown)',
      '',
    ]);
    expect(['127.0.0.1', '::1', 'fe80::1%eth0', 'marker', undefined].map(displayAddress)).toEqual([
      '127.0.0.1',
      '::1',
      'fe80::1',
      '',
      '',
    ]);
  });
});

describe('NameCatalog', () => {
  it('shows what a server owns up to, of that server and type only', () => {
    const catalog = new NameCatalog();
    catalog.learn('docs', 'tool', 'search');
    expect(catalog.displayed('docs', 'tool', 'search')).toBe('search');
    expect(catalog.displayed('docs', 'prompt', 'search')).toBe('(unlisted)');
    expect(catalog.displayed('other', 'tool', 'search')).toBe('(unlisted)');
  });

  it('forgets the names used longest ago', () => {
    const catalog = new NameCatalog(2);
    for (const name of ['a', 'b', 'a', 'c']) catalog.learn('docs', 'tool', name);
    expect(['a', 'b', 'c'].map((name) => catalog.displayed('docs', 'tool', name))).toEqual(['a', '(unlisted)', 'c']);
  });
});
