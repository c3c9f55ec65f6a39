/**
 * The ClickHouse HTTP dialect on loopback, in front of the embedded engine: as much of it as @clickhouse/client and
 * the collector's exporter speak.
 * Checks the password, reads the statement with the engine's parser, holds it against the user's permissions and only
 * then runs it, on a connection of its own. A client that goes away cancels its query. Logs no statement and no data.
 */
import { randomUUID, timingSafeEqual, createHash } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { Logger } from '../../logger.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-lexer.ts';
import { EngineException, engineException, httpStatusOf } from './engine-exception.ts';
import type { Engine, EngineConnection } from './engine.ts';
import { type StoreRequest, readCredentials, readStoreRequest } from './http-request.ts';
import { insertData } from './insert-data.ts';
import { Limiter } from './limiter.ts';
import { STORE_USERS, type Permissions, type StoreUser, isStoreUser, permissionsOf } from './permissions.ts';
import { sendResult } from './result-writer.ts';
import { RightOfWay } from './right-of-way.ts';
import { StatementCache } from './statement-cache.ts';
import { checkFormat, checkPermission } from './statement-check.ts';
import { type Statement, isSelect, readStatement } from './statement.ts';

export interface EndpointOptions {
  readonly engine: Engine;
  readonly passwords: Readonly<Record<StoreUser, string>>;
  readonly logger: Logger;
  /** after decompression; default 64 MiB */
  readonly maxBodyBytes?: number;
  /** what one query may take */
  readonly queryMemoryBytes: number;
}

const DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_WAITING = 200;
/** Two for an export, which begins its next read before the last one has ended. */
const PATIENT_AT_ONCE = 3;
/** Somebody waits for their answers. */
const URGENT_USERS: ReadonlySet<StoreUser> = new Set(['gatelens_api', 'grafana_reader']);
/** Default current database: name it in the SQL, or give another one by `database=`. */
const DEFAULT_DATABASE = 'mcp';
const READ_DATABASES = new Set(['mcp', 'mcp_protected']);

/** Settings in force for everyone, below what the query gives. */
const BASE_SETTINGS: Readonly<Record<string, string>> = {
  // chdb's own defaults that a server does not have
  implicit_select: '0',
  allow_introspection_functions: '0',
  // VALUES are literals here: expressions would be evaluated, file() among them
  input_format_values_interpret_expressions: '0',
  input_format_values_deduce_templates_of_expressions: '0',
  max_query_size: String(1024 * 1024),
};

/** They change how text is parsed, or name files and addresses. */
const REFUSED_SETTINGS = /^(dialect$|format_schema|format_template_|format_avro_schema_registry|.*_path$|.*_url$)/;

export function createEndpoint(options: EndpointOptions): Server {
  const endpoint = new Endpoint(options);
  const server = createServer((request, response) => void endpoint.handle(request, response));
  server.keepAliveTimeout = 30_000;
  server.headersTimeout = 10_000;
  server.requestTimeout = 120_000;
  return server;
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

class Endpoint {
  readonly #options: EndpointOptions;
  readonly #limiters: ReadonlyMap<StoreUser, Limiter>;
  /** tables of a database, forgotten on any change of schema */
  readonly #catalogs = new Map<string, Set<string>>();
  readonly #statements = new StatementCache();
  /** for long reads, so that they take no place from pages */
  readonly #patient = new Limiter(PATIENT_AT_ONCE, MAX_WAITING);
  readonly #rightOfWay = new RightOfWay();

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#limiters = new Map(
      STORE_USERS.map((user) => [user, new Limiter(permissionsOf(user).concurrent, MAX_WAITING)])
    );
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    response.on('error', () => undefined);
    try {
      const url = new URL(request.url ?? '/', 'http://store');
      if (url.pathname === '/ping') {
        response.writeHead(200, { 'content-type': 'text/plain' }).end('Ok.\n');
        return;
      }
      if (url.pathname !== '/' || !['GET', 'POST'].includes(request.method ?? '')) {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('There is nothing here.\n');
        return;
      }
      const user = this.#authenticate(request, url);
      const read = await readStoreRequest(request, url, this.#options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
      await this.#execute(user, read, request, response, gone.signal);
    } catch (cause) {
      sendException(response, engineException(cause));
      request.resume();
    }
  }

  #authenticate(request: IncomingMessage, url: URL): StoreUser {
    const given = readCredentials(request, url);
    const user = given !== undefined && isStoreUser(given.name) ? given.name : undefined;
    // compared even for an unknown name, so that the time tells nothing
    const expected = this.#options.passwords[user ?? 'gatelens_admin'];
    const right = sameText(given?.password ?? '', expected);
    if (user === undefined || !right) {
      this.#options.logger.warn('store_authentication_failed');
      throw new EngineException(
        516,
        'AUTHENTICATION_FAILED',
        'Authentication failed: password is incorrect, or there is no user with such name'
      );
    }
    return user;
  }

  async #execute(
    user: StoreUser,
    read: StoreRequest,
    request: IncomingMessage,
    response: ServerResponse,
    gone: AbortSignal
  ): Promise<void> {
    // the setting has this meaning on a server too: the higher, the sooner it waits for others
    const patient = Number(read.settings.get('priority') ?? 0) > 0;
    const release = await (patient ? this.#patient : this.#limiters.get(user))?.acquire(gone);
    if (release === undefined) {
      if (gone.aborted) return;
      throw new EngineException(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'Too many simultaneous queries.');
    }
    const connection = this.#options.engine.connect();
    const over = !patient && URGENT_USERS.has(user) ? this.#rightOfWay.urgent() : undefined;
    const beforeBlock = patient ? (): Promise<void> => this.#rightOfWay.clear() : undefined;
    // inserts are left to finish, as on a server: they are idempotent and half of one helps nobody
    const cancel = (): void => void connection.cancel();
    try {
      const { statement, permissions } = await this.#prepare(connection, user, read);
      if (isSelect(statement)) gone.addEventListener('abort', cancel, { once: true });
      if (gone.aborted) return;
      const queryId = read.queryId ?? randomUUID();
      if (statement.format !== undefined && statement.root.kind === 'InsertQuery') {
        const done = await insertData(connection, statement.normalised, statement.format, read.data);
        sendDone(response, queryId, done?.rowsWritten ?? 0, done?.bytesWritten ?? 0);
        return;
      }
      await sendResult({ connection, statement, read, request, response, queryId, beforeBlock });
      if (permissions.mayDefine && !isSelect(statement)) this.#catalogs.clear();
    } finally {
      gone.removeEventListener('abort', cancel);
      await connection.close();
      over?.();
      release();
    }
  }

  /** Everything that must hold before the statement may run; in this order. */
  async #prepare(
    connection: EngineConnection,
    user: StoreUser,
    read: StoreRequest
  ): Promise<{ statement: Statement; permissions: Permissions }> {
    const permissions = permissionsOf(user);
    const database = databaseFor(permissions, read.database);
    const setUp = [
      `USE ${quoteIdentifier(database)}`,
      `SET ${assignments(this.#settingsFor(permissions, read))}`,
      ...[...read.parameters].map(([name, value]) => `SET ${parameterName(name)} = ${quoteLiteral(value)}`),
    ];
    const known = this.#statements.get(read.sql);
    if (known === undefined) await connection.query(setUp.splice(0).join('; '), 'Null');
    const statement = known ?? (await readStatement(connection, read.sql));
    this.#statements.put(read.sql, statement);
    const tables = await this.#tablesOf(connection, database);
    checkPermission(user, statement, { database, has: (table) => tables.has(table) });
    checkFormat(user, statement.format ?? read.defaultFormat);
    if (read.readonlyMethod && !isSelect(statement) && !permissions.mayDefine) {
      throw new EngineException(164, 'READONLY', 'Cannot execute query in readonly mode: GET reads only.');
    }
    const readonly = isSelect(statement) ? permissions.readonly : 0;
    if (readonly > 0) setUp.push(`SET readonly = ${readonly}`);
    if (setUp.length > 0) await connection.query(setUp.join('; '), 'Null');
    return { statement, permissions };
  }

  #settingsFor(permissions: Permissions, read: StoreRequest): Map<string, string> {
    const settings = new Map(Object.entries(BASE_SETTINGS));
    settings.set('max_memory_usage', String(Math.floor(this.#options.queryMemoryBytes * permissions.memoryShare)));
    for (const [name, value] of read.settings) {
      if (!/^[a-z][a-z0-9_]*$/i.test(name))
        throw new EngineException(115, 'UNKNOWN_SETTING', 'A setting has an unusable name.');
      // given by drivers; the user's own stricter value is in force anyway
      if (name === 'readonly') continue;
      if (name in BASE_SETTINGS || REFUSED_SETTINGS.test(name) || permissions.settings?.has(name) === false) {
        throw new EngineException(452, 'SETTING_CONSTRAINT_VIOLATION', `Setting ${name} should not be changed.`);
      }
      settings.set(name, value);
    }
    for (const [name, limit] of Object.entries(permissions.limits)) {
      const asked = Number(settings.get(name) ?? 0);
      settings.set(name, String(asked > 0 && asked < limit ? asked : limit));
    }
    return settings;
  }

  async #tablesOf(connection: EngineConnection, database: string): Promise<Set<string>> {
    const known = this.#catalogs.get(database);
    if (known !== undefined) return known;
    const sql = `SELECT name FROM system.tables WHERE database = ${quoteLiteral(database)}`;
    const listed = await connection.query(sql, 'TSVRaw');
    const tables = new Set(listed.bytes.toString().split('\n'));
    this.#catalogs.set(database, tables);
    return tables;
  }
}

/** Never the engine's own `default`: it shows files as tables. */
function databaseFor(permissions: Permissions, asked: string | undefined): string {
  if (permissions.mayDefine) return asked === undefined || asked === 'default' ? 'system' : asked;
  const database = asked === undefined || asked === 'default' ? DEFAULT_DATABASE : asked;
  const allowed = permissions.readonly === 1 ? database === DEFAULT_DATABASE : READ_DATABASES.has(database);
  if (!allowed) throw new EngineException(497, 'ACCESS_DENIED', 'Not enough privileges for this database.');
  return database;
}

function parameterName(name: string): string {
  if (!/^\w+$/.test(name)) throw new EngineException(36, 'BAD_ARGUMENTS', 'A parameter has an unusable name.');
  return `param_${name}`;
}

function assignments(settings: ReadonlyMap<string, string>): string {
  return [...settings].map(([name, value]) => `${name} = ${quoteLiteral(value)}`).join(', ');
}

function sendDone(response: ServerResponse, queryId: string, rows: number, bytes: number): void {
  const summary = {
    read_rows: String(rows),
    read_bytes: String(bytes),
    written_rows: String(rows),
    written_bytes: String(bytes),
  };
  response
    .writeHead(200, {
      'content-type': 'text/plain; charset=UTF-8',
      'x-clickhouse-query-id': queryId,
      'x-clickhouse-summary': JSON.stringify({ ...summary, result_rows: '0', result_bytes: '0', elapsed_ns: '0' }),
    })
    .end();
}

function sendException(response: ServerResponse, exception: EngineException): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response
    .writeHead(httpStatusOf(exception.code), {
      'content-type': 'text/plain; charset=UTF-8',
      'x-clickhouse-exception-code': String(exception.code),
    })
    .end(`${exception.toString()}\n`);
}
