/**
 * What a statement is and touches, asked of the engine's own parser: `formatQuery` refuses more than one statement,
 * `EXPLAIN AST` lists tables and functions. Neither executes anything (EXPLAIN QUERY TREE would evaluate scalar
 * functions and subqueries). Decides nothing; embedded/permissions.ts does.
 */
import { hasEscapedIdentifier, quoteLiteral } from '../sql-lexer.ts';
import { EngineException } from './engine-exception.ts';
import type { EngineConnection } from './engine.ts';

export interface AstNode {
  readonly kind: string;
  /** what follows the kind in the dump, without `(children n)` */
  readonly text: string;
  readonly children: readonly AstNode[];
}

export interface Statement {
  /** normalised by the engine: one statement, one line, no comments, no inline data */
  readonly normalised: string;
  readonly root: AstNode;
  /** `FORMAT` clause of a query or of an INSERT's data */
  readonly format: string | undefined;
}

/**
 * @param connection has its parameters set already, since `{x:Identifier}` is substituted while parsing
 * @throws EngineException SYNTAX_ERROR when it is no statement or more than one
 */
export async function readStatement(connection: EngineConnection, sql: string): Promise<Statement> {
  const literal = quoteLiteral(sql);
  const formatted = await connection.query(`SELECT formatQuerySingleLine(${literal})`, 'TSVRaw').catch(explainSyntax);
  const normalised = formatted.bytes.toString().replace(/\n$/, '');
  if (hasEscapedIdentifier(normalised)) {
    throw new EngineException(62, 'SYNTAX_ERROR', 'Identifiers with escape sequences are not supported here.');
  }
  // of an INSERT the normalised text, which has no data in it; else the text itself: it is what will run
  const parsed = normalised.startsWith('INSERT ') ? normalised : sql;
  const dump = await connection.query(`EXPLAIN AST ${parsed}`, 'TSVRaw');
  const root = parseDump(dump.bytes.toString());
  return { normalised, root, format: formatOf(normalised, root) };
}

function explainSyntax(cause: unknown): never {
  if (cause instanceof EngineException && cause.code === 62) {
    // the engine appends `: In scope SELECT formatQuerySingleLine('…')`, a text the caller never wrote
    const message = cause.message.replace(/:? ?In scope SELECT formatQuerySingleLine\([\s\S]*$/, '');
    throw new EngineException(62, 'SYNTAX_ERROR', message);
  }
  throw cause;
}

/** Lines are indented by one blank a level. */
function parseDump(dump: string): AstNode {
  interface Open {
    kind: string;
    text: string;
    children: Open[];
  }
  const top: Open = { kind: 'top', text: '', children: [] };
  const path: Open[] = [top];
  for (const line of dump.split('\n')) {
    if (line === '') continue;
    const depth = /^ */.exec(line)?.[0].length ?? 0;
    const body = line.slice(depth).replace(/ \(children \d+\)$/, '');
    const space = body.indexOf(' ');
    const node: Open = {
      kind: space === -1 ? body : body.slice(0, space),
      text: space === -1 ? '' : body.slice(space + 1).trim(),
      children: [],
    };
    const parent = path[depth];
    if (parent === undefined) throw new EngineException(49, 'LOGICAL_ERROR', 'The statement cannot be read.');
    parent.children.push(node);
    path.length = depth + 1;
    path.push(node);
  }
  const root = top.children[0];
  if (root === undefined || top.children.length !== 1) {
    throw new EngineException(49, 'LOGICAL_ERROR', 'The statement cannot be read.');
  }
  return root;
}

function formatOf(normalised: string, root: AstNode): string | undefined {
  if (root.kind === 'SelectWithUnionQuery') return root.children.find((child) => child.kind === 'Identifier')?.text;
  return / FORMAT ([A-Za-z0-9_]+)$/.exec(normalised)?.[1];
}

export function* walk(node: AstNode, parent?: AstNode): Generator<{ node: AstNode; parent: AstNode | undefined }> {
  yield { node, parent };
  for (const child of node.children) yield* walk(child, node);
}

export function isSelect(statement: Statement): boolean {
  return statement.root.kind === 'SelectWithUnionQuery' || statement.root.kind === 'SelectIntersectExceptQuery';
}

/** Name without the alias that the dump appends. */
export function tableNameOf(node: AstNode): string {
  return node.text.replace(/ \(alias [\s\S]*\)$/, '');
}

/** True if a value must be computed before the plan is made: planning would take as long as that. */
export function hasSubqueryValue(statement: Statement): boolean {
  for (const { node, parent } of walk(statement.root)) {
    if (node.kind === 'WithElement') return true;
    if (node.kind === 'Subquery' && parent?.kind !== 'TableExpression') return true;
  }
  return false;
}
