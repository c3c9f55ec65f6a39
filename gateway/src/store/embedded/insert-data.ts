/**
 * How the data of an INSERT reaches the engine. It reads a statement and its data as one text, and an empty line ends the
 * data, in binary formats too: two bytes 0a in a row, as times and offsets have them, would cut a block in the middle. So
 * Native blocks with such bytes go in as a literal; line formats of JSON lose their empty lines; others are refused.
 */
import type { EngineConnection, EngineResult } from './engine.ts';
import { EngineException } from './engine-exception.ts';

const EMPTY_LINE = '\n\n';
/** every byte that means something in a literal, or is none of plain ASCII */
const TO_ESCAPE = /[^ !#-&(-[\]-~]/g;
/** the statement and the literal, in which a byte takes four characters */
const LITERAL_FACTOR = 4;
const STATEMENT_BYTES = 65_536;
/** the engine quotes the statement in some of its messages */
const MESSAGE_CHARACTERS = 500;

/**
 * @param head the statement up to and with `FORMAT <format>`
 * @throws EngineException
 */
export async function insertData(
  connection: EngineConnection,
  head: string,
  format: string,
  data: Buffer
): Promise<EngineResult> {
  if (!data.includes(EMPTY_LINE)) return connection.insert(head, data);
  if (/^(?:JSON\w*EachRow|NDJSON)$/i.test(format)) return connection.insert(head, withoutEmptyLines(data));
  const selected = head.replace(/\s*\bFORMAT\s+Native\s*$/i, ' SELECT * FROM format(Native, ');
  if (format.toLowerCase() !== 'native' || selected === head) {
    const problem = `The embedded store cannot take an empty line in the data of an INSERT as ${format}. Use JSONEachRow or Native.`;
    throw new EngineException(48, 'NOT_IMPLEMENTED', problem);
  }
  await connection.query(`SET max_query_size = ${data.length * LITERAL_FACTOR + STATEMENT_BYTES}`, 'Null');
  try {
    return await connection.query(`${selected}'${literal(data)}')`, 'Null');
  } catch (error) {
    if (!(error instanceof EngineException)) throw error;
    throw new EngineException(error.code, error.type, error.message.slice(0, MESSAGE_CHARACTERS));
  }
}

/** In JSON a line feed within a value is escaped, so empty lines stand between the rows. */
function withoutEmptyLines(data: Buffer): Buffer {
  return Buffer.from(data.toString('latin1').replace(/\n{2,}/g, '\n'), 'latin1');
}

function literal(data: Buffer): string {
  return data
    .toString('latin1')
    .replace(TO_ESCAPE, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
