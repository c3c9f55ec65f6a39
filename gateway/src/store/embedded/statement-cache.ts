/**
 * Remembers what statements are, by their text: the same few are asked again and again, and each reading costs two
 * questions to the engine. Permissions are checked on every run, from what is remembered.
 */
import type { Statement } from './statement.ts';

const MAX_ENTRIES = 500;
const MAX_TEXT_CHARS = 32_768;

export class StatementCache {
  /** least recently used first */
  readonly #statements = new Map<string, Statement>();

  get(sql: string): Statement | undefined {
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
    }
    return known;
  }

  put(sql: string, statement: Statement): void {
    // with `{x:Identifier}` the tables depend on the parameters
    if (sql.length > MAX_TEXT_CHARS || /Identifier/i.test(sql)) return;
    this.#statements.set(sql, statement);
    if (this.#statements.size <= MAX_ENTRIES) return;
    const oldest = this.#statements.keys().next().value;
    if (oldest !== undefined) this.#statements.delete(oldest);
  }
}
