/**
 * How the data of an INSERT reaches the engine. It reads a statement and its data as one text, and an empty line ends the
 * data, in binary formats too: two bytes 0a in a row, as times and offsets have them, would cut a block in the middle. So
 * Native blocks with such bytes go in as a literal; line formats of JSON lose their empty lines; VALUES end elsewhere;
 * others are refused.
 */
import { splitStatements } from '../sql-lexer.ts';
import type { EngineConnection, EngineResult } from './engine.ts';
import { EngineException } from './engine-exception.ts';

const EMPTY_LINE = '\n\n';
/** the columns by name: a block may have them in another order than the statement */
const INSERT_OF_NATIVE = /^(INSERT INTO .*?) \(([^()]+)\) FORMAT Native$/i;
const JSON_LINES = /^(?:JSON\w*EachRow|NDJSON)$/i;
const STATEMENT_BYTES = 65_536;
/** the engine quotes the statement in some of its messages */
const MESSAGE_CHARACTERS = 500;

/**
 * @param head the statement up to and with `FORMAT <format>`, as the engine normalised it
 * @param data undefined: nobody knows where it begins
 * @returns undefined where there is no data
 * @throws EngineException
 */
export async function insertData(
  connection: EngineConnection,
  head: string,
  format: string,
  data: Buffer | undefined
): Promise<EngineResult | undefined> {
  if (data === undefined) {
    // run as it is, what follows the data would run too
    throw new EngineException(62, 'SYNTAX_ERROR', 'Where the data of this INSERT begins is not clear.');
  }
  // they alone end at a semicolon and not at an empty line, and the engine runs what follows it
  const values = format.toLowerCase() === 'values';
  if (values && splitStatements(data.toString('latin1')).length > 1) {
    throw new EngineException(62, 'SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed).');
  }
  if (data.length === 0) return undefined;
  if (values || !data.includes(EMPTY_LINE)) return connection.insert(head, data);
  if (JSON_LINES.test(format)) return connection.insert(head, withoutEmptyLines(data));
  const [, insert, columns] = INSERT_OF_NATIVE.exec(head) ?? [];
  if (insert === undefined || columns === undefined) {
    const problem = `The embedded store cannot take an empty line in the data of an INSERT as ${format}. Use JSONEachRow, or Native with the columns named.`;
    throw new EngineException(48, 'NOT_IMPLEMENTED', problem);
  }
  return insertLiteral(connection, `${insert} (${columns}) SELECT ${columns}`, data);
}

async function insertLiteral(connection: EngineConnection, into: string, block: Buffer): Promise<EngineResult> {
  const literal = block.toString('base64');
  await connection.query(`SET max_query_size = ${literal.length + into.length + STATEMENT_BYTES}`, 'Null');
  try {
    return await connection.query(`${into} FROM format(Native, base64Decode('${literal}'))`, 'Null');
  } catch (error) {
    if (!(error instanceof EngineException)) throw error;
    throw new EngineException(error.code, error.type, error.message.slice(0, MESSAGE_CHARACTERS));
  }
}

/** In JSON a line feed within a value is escaped, so empty lines stand between the rows. */
function withoutEmptyLines(data: Buffer): Buffer {
  return Buffer.from(data.toString('latin1').replace(/\n{2,}/g, '\n'), 'latin1');
}
