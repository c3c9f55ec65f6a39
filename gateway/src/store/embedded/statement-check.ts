/**
 * Holds a parsed statement against what its user may do. Everything not listed is refused, and nobody reaches files, the
 * network, other engines or the engine's own `default` database, the administrator included. Runs nothing itself.
 */
import { tokens } from '../sql-lexer.ts';
import { EngineException } from './engine-exception.ts';
import { type StoreUser, permissionsOf } from './permissions.ts';
import { type AstNode, type Statement, isSelect, tableNameOf, walk } from './statement.ts';

/** Table functions that reach nothing outside the query. */
const TABLE_FUNCTIONS = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'generateseries',
  'generate_series',
  'null',
]);

/** Ordinary functions that reach files, the network, other tables by name, secrets, or hold a thread. */
const REFUSED_FUNCTIONS =
  /^(file|url|dict.*|joinget.*|hascolumnintable|ai[a-z]+|catboostevaluate|evalmlmethod|naivebayes.*|showcertificate|addressto.*|demangle|region.*|getmacro|getserversetting|getserverport|getclienthttpheader|mergetreepartinfo|sleep.*|__getscalar|__actionname|transaction.*|filesystem.*|executable.*|chdb|structureto.*schema|fuzzquery|aggthrow)$/;

/** Only engines that keep their data here. */
const TABLE_ENGINES = /^(\w*MergeTree|Memory|Null|Atomic)$/;

/** Nodes of the dump that carry the name of a table or database. */
const TABLE_NODES = /^(TableIdentifier|\w+Query|Rename)$/;

/** Names after IN stand for tables. */
const IN_FUNCTIONS = /^(global)?(not)?(null)?in(ignoreset)?$/;

const SELECT_NODES = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'ExpressionList',
  'Subquery',
  'Literal',
  'Function',
  'Identifier',
  'TableIdentifier',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableJoin',
  'ArrayJoin',
  'WithElement',
  'Asterisk',
  'QualifiedAsterisk',
  'ColumnsListMatcher',
  'ColumnsRegexpMatcher',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'OrderByElement',
  'InterpolateElement',
  'SampleRatio',
  'WindowDefinition',
  'WindowListElement',
  'Set',
]);

const DEFINITIONS = new Set([
  'CreateQuery',
  'AlterQuery',
  'DropQuery',
  'Rename',
  'OptimizeQuery',
  'DeleteQuery',
  'Explain',
  'ShowTables',
  'ShowColumns',
  'ShowCreateTableQuery',
  'ShowCreateDatabaseQuery',
  'ShowCreateViewQuery',
  'DescribeQuery',
  'ExistsTableQuery',
  'ExistsDatabaseQuery',
  'ExistsViewQuery',
  'KillQueryQuery',
  'SYSTEM',
]);

/** What the engine must be asked about names without a database. */
export interface Catalog {
  readonly database: string;
  /** true if the current database has such a table: then the name stands for it */
  has(table: string): boolean;
}

/** Formats that need nothing but the data: no schema file, no template file, no schema registry. */
const FORMATS =
  /^(JSON\w*|NDJSON|CSV\w*|TSV\w*|TabSeparated\w*|RowBinary\w*|Native|Parquet|Arrow|ArrowStream|ORC|MsgPack|Values|Null|Vertical|XML|Markdown|Pretty\w*|LineAsString|RawBLOB|BSONEachRow)$/;

/** @throws EngineException ACCESS_DENIED */
export function checkFormat(user: StoreUser, format: string | undefined): void {
  if (format !== undefined && !FORMATS.test(format)) denied(user, 'this format');
}

function denied(user: StoreUser, what: string): never {
  throw new EngineException(497, 'ACCESS_DENIED', `${user}: Not enough privileges: ${what}.`);
}

/** @throws EngineException ACCESS_DENIED */
export function checkPermission(user: StoreUser, statement: Statement, catalog: Catalog): void {
  const may = permissionsOf(user);
  checkNothingOutside(user, statement);
  if (isSelect(statement)) {
    checkReads(user, statement.root, catalog, SELECT_NODES);
    return;
  }
  if (statement.root.kind === 'InsertQuery') {
    checkInsert(user, statement, catalog);
    return;
  }
  const erased = erasedTable(statement);
  if (erased !== undefined) {
    if (!may.mayErase(qualified(erased, catalog))) denied(user, 'erasing from this table');
    checkReads(user, statement.root, catalog, undefined);
    return;
  }
  const described = describedTable(statement);
  // who inserts may see the columns: drivers ask for them before an insert
  if (described !== undefined && may.mayInsert(qualified(described, catalog))) return;
  if (!may.mayDefine) denied(user, 'this kind of statement');
  if (!DEFINITIONS.has(statement.root.kind)) denied(user, 'this kind of statement in the embedded store');
  checkDefinition(user, statement);
}

/** For everyone, the administrator too. */
function checkNothingOutside(user: StoreUser, statement: Statement): void {
  for (const { node, parent } of walk(statement.root)) {
    // the engine's own database: it takes names of files for tables
    if (/^default\b/.test(node.text) && TABLE_NODES.test(node.kind)) denied(user, 'the database default');
    // the dump does not say which function it applies
    if (node.kind === 'ColumnsApplyTransformer') denied(user, 'APPLY');
    if (node.kind !== 'Function') continue;
    const name = functionName(node).toLowerCase();
    if (parent?.kind === 'TableExpression') {
      const allowed = TABLE_FUNCTIONS.has(name) && permissionsOf(user).mayRead('system.one');
      if (!allowed) denied(user, `the table function ${name}`);
    } else if (REFUSED_FUNCTIONS.test(name)) denied(user, `the function ${name}`);
  }
  checkWords(user, statement.normalised);
  if (statement.root.kind === 'SelectWithUnionQuery') {
    const known = ['ExpressionList', 'Identifier', 'Set'];
    if (!statement.root.children.every((child) => known.includes(child.kind))) denied(user, 'INTO OUTFILE');
  }
}

/** The same on the text, should the dump leave something out. */
function checkWords(user: StoreUser, normalised: string): void {
  let previous = '';
  for (const token of tokens(normalised)) {
    if (token.kind === 'space') continue;
    const text = normalised.slice(token.start, token.end);
    if (/^[`"]?default[`"]?$/.test(text) && normalised[token.end] === '.') denied(user, 'the database default');
    const word = token.kind === 'word' ? text.toUpperCase() : '';
    if ((previous === 'INTO' && word === 'OUTFILE') || (previous === 'FROM' && word === 'INFILE')) {
      denied(user, 'reading or writing files');
    }
    const called = normalised[token.end] === '(' && previous !== 'INTO' && previous !== 'TABLE';
    if (called && REFUSED_FUNCTIONS.test(word.toLowerCase())) denied(user, `the function ${word.toLowerCase()}`);
    previous = word;
  }
}

function functionName(node: AstNode): string {
  return node.text.replace(/ \(alias [\s\S]*\)$/, '');
}

function qualified(name: string, catalog: Catalog): string {
  return name.includes('.') ? name : `${catalog.database}.${name}`;
}

function checkReads(user: StoreUser, root: AstNode, catalog: Catalog, nodes: ReadonlySet<string> | undefined): void {
  const may = permissionsOf(user);
  const checkTable = (name: string): void => {
    if (name.includes('.')) {
      if (!may.mayRead(name)) denied(user, 'reading this table');
      // a name alone is a common table expression or an alias, unless the current database has such a table
    } else if (catalog.has(name) && !may.mayRead(qualified(name, catalog))) denied(user, 'reading this table');
  };
  for (const { node } of walk(root)) {
    if (nodes !== undefined && !nodes.has(node.kind) && !may.mayDefine) denied(user, `this kind of expression`);
    if (node.kind === 'Set' && !may.maySetInSql) denied(user, 'SETTINGS in the statement');
    if (node.kind === 'TableIdentifier') checkTable(tableNameOf(node));
    if (node.kind === 'Function' && IN_FUNCTIONS.test(functionName(node).toLowerCase())) {
      const set = node.children[0]?.children[1];
      if (set?.kind === 'Identifier') checkTable(tableNameOf(set));
    }
  }
}

function checkInsert(user: StoreUser, statement: Statement, catalog: Catalog): void {
  const may = permissionsOf(user);
  const target = /^INSERT INTO ([A-Za-z_0-9]+(?:\.[A-Za-z_0-9]+)?)(?: |$)/.exec(statement.normalised)?.[1];
  if (target === undefined || !may.mayInsert(qualified(target, catalog))) denied(user, 'inserting into this table');
  if (statement.root.children.some((child) => child.kind === 'Function')) denied(user, 'inserting into a function');
  if (statement.format?.toLowerCase() === 'values' && !may.mayDefine) denied(user, 'INSERT … VALUES; use JSONEachRow');
  checkReads(user, statement.root, catalog, undefined);
}

/** Target of a statement that only removes rows. */
function erasedTable(statement: Statement): string | undefined {
  const { root, normalised } = statement;
  if (root.kind === 'AlterQuery') {
    const commands = root.children[0]?.children ?? [];
    if (!commands.every((one) => one.kind === 'AlterCommand' && one.text === 'DELETE')) return undefined;
    return /^ALTER TABLE ([A-Za-z_0-9.]+) /.exec(normalised)?.[1];
  }
  if (root.kind === 'DeleteQuery') return /^DELETE FROM ([A-Za-z_0-9.]+) WHERE /.exec(normalised)?.[1];
  if (root.kind === 'OptimizeQuery') return /^OPTIMIZE TABLE ([A-Za-z_0-9.]+)(?: |$)/.exec(normalised)?.[1];
  return undefined;
}

/** Table of a plain DESCRIBE; undefined for one of a subquery or a table function. */
function describedTable(statement: Statement): string | undefined {
  const [only, ...others] = statement.root.children;
  const plain = statement.root.kind === 'DescribeQuery' && others.length === 0 && only?.kind === 'TableExpression';
  const table = plain && only.children.length === 1 ? only.children[0] : undefined;
  return table?.kind === 'TableIdentifier' ? tableNameOf(table) : undefined;
}

function checkDefinition(user: StoreUser, statement: Statement): void {
  const { root, normalised } = statement;
  if (root.kind === 'SYSTEM' && !/^SYSTEM (REFRESH|WAIT|STOP|START|CANCEL|TEST) VIEW /.test(normalised)) {
    denied(user, 'this SYSTEM statement');
  }
  if (root.kind !== 'CreateQuery') return;
  if (!/^CREATE (OR REPLACE )?(DATABASE|TABLE|VIEW|MATERIALIZED VIEW) /.test(normalised)) denied(user, 'creating this');
  for (const { node, parent } of walk(root)) {
    if (node.kind === 'Dictionary') denied(user, 'dictionaries');
    const engine = node.kind === 'Function' && parent?.kind === 'Storage' && parent.children[0] === node;
    if (engine && !TABLE_ENGINES.test(functionName(node))) denied(user, 'this table engine');
    if (node.kind === 'Function' && parent === root) denied(user, 'a table from a function');
  }
}
