import { describe, expect, it } from 'vitest';
import { cutInsert, hasEscapedIdentifier, quoteIdentifier, quoteLiteral, splitStatements } from './sql-lexer.ts';

describe('splitting a file into statements', () => {
  it.each([
    ['SELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
    ['SELECT 1;\n;\n-- nothing\n', ['SELECT 1']],
    ['-- a; note\nSELECT 1 /* ; */ -- ;\n;', ['SELECT 1 /* ; */ -- ;']],
    [`SELECT ';', "a;b", \`c;d\`, $x$;$x$;SELECT 2`, [`SELECT ';', "a;b", \`c;d\`, $x$;$x$`, 'SELECT 2']],
    [`SELECT 'it''s; \\'; fine';SELECT 2`, [`SELECT 'it''s; \\'; fine'`, 'SELECT 2']],
    ["SELECT 'not closed; ", ["SELECT 'not closed;"]],
    ['', []],
  ])('%s', (sql, statements) => {
    expect(splitStatements(sql)).toEqual(statements);
  });
});

describe('cutting an INSERT before its data', () => {
  it.each([
    ['INSERT INTO t FORMAT JSONEachRow\n{"a":1}', 'INSERT INTO t FORMAT JSONEachRow', '{"a":1}'],
    ['insert into t (a, b) settings x = 1 format CSV 1,2', 'insert into t (a, b) settings x = 1 format CSV', '1,2'],
    ["INSERT INTO t VALUES (1, 'FORMAT x')", 'INSERT INTO t VALUES', " (1, 'FORMAT x')"],
    [
      '/* FORMAT CSV */ INSERT INTO `format` (`values`) FORMAT TSV \n a',
      '/* FORMAT CSV */ INSERT INTO `format` (`values`) FORMAT TSV',
      ' a',
    ],
    ['INSERT INTO t (format) FORMAT JSONEachRow', 'INSERT INTO t (format) FORMAT JSONEachRow', ''],
  ])('%s', (sql, head, data) => {
    const cut = cutInsert(sql);
    expect([cut?.head, sql.slice(cut?.dataStart)]).toEqual([head, data]);
  });

  it.each([
    'INSERT INTO t SELECT 1',
    'SELECT 1 FORMAT JSON',
    'INSERT INTO t WITH 1 AS x SELECT x FORMAT CSV',
    'INSERT INTO t',
    '',
  ])('leaves alone: %s', (sql) => {
    expect(cutInsert(sql)).toBeUndefined();
  });
});

describe('quoting', () => {
  it('escapes what ends a literal', () => {
    expect(quoteLiteral(`a'b\\c\0`)).toBe(`'a\\'b\\\\c\\0'`);
  });

  it('takes plain identifiers only', () => {
    expect(quoteIdentifier('mcp')).toBe('`mcp`');
    for (const name of ['', 'a b', 'a`b', 'a.b', '1a']) expect(() => quoteIdentifier(name)).toThrow(TypeError);
  });

  it('sees an escape inside a quoted identifier', () => {
    expect(hasEscapedIdentifier('SELECT `a\\nb`')).toBe(true);
    expect(hasEscapedIdentifier("SELECT `a b`, 'a\\nb'")).toBe(false);
  });
});
