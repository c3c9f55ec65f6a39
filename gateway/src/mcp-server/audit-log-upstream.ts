/**
 * `/mcp/gatelens`: the gateway's own MCP server, where an upstream server would be. It comes after the same
 * authentication, policy and limits, and leaves the same records. Answers whole JSON bodies, keeps no session. Of its
 * answers it records the size only: they are copies of what is in the log, and a copy would outlive the original's erasure.
 */
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Logger } from '../logger.ts';
import type { Exchange, Upstream } from '../mcp/exchange.ts';
import { createAuditApiClient, type AuditApi } from './audit-api-client.ts';
import { createAuditLogServer } from './audit-log-server.ts';
import { OwnCallRecords } from './own-call-records.ts';

/** Carries a token of the audit API beside the caller's own credentials; redacted in records, never forwarded. */
const AUDIT_TOKEN_HEADER = 'x-gatelens-audit-token';
const PASSED_HEADERS = ['accept', 'content-type', 'mcp-protocol-version'];

export interface AuditLogUpstreamOptions {
  readonly api: AuditApi;
  readonly logger: Logger;
  /** of the program */
  readonly version: string;
}

export class AuditLogUpstream implements Upstream {
  readonly kind = 'own';
  readonly #options: AuditLogUpstreamOptions;

  constructor(options: AuditLogUpstreamOptions) {
    this.#options = options;
  }

  async handle(exchange: Exchange): Promise<void> {
    const records = new OwnCallRecords(exchange);
    if (exchange.httpMethod !== 'POST') {
      const message = 'This server keeps no session and has no stream of its own. Send requests with POST.';
      return exchange.refuse('method_not_allowed', message, records.refused('method_not_allowed'));
    }
    try {
      await records.intents();
    } catch {
      return exchange.refuse('audit_unavailable', '', records.unrecorded());
    }
    const answered = await this.#answer(exchange).catch((error: unknown) => {
      // the class only: a message could hold what passed
      this.#options.logger.error('own_server_failed', { error: error instanceof Error ? error.name : 'unknown' });
      return 'failed' as const;
    });
    if (answered === 'failed') {
      return exchange.refuse('internal', 'The gateway failed to handle this request.', records.failed());
    }
    if (answered === undefined) return records.clientGone();
    const { status, body } = answered;
    await exchange.sendJson(status, body, records.answered(status, body));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** @returns undefined when the client went away meanwhile */
  async #answer(exchange: Exchange): Promise<{ status: number; body: Buffer | undefined } | undefined> {
    const { api, version } = this.#options;
    const { signal } = exchange;
    const auditToken = exchange.header(AUDIT_TOKEN_HEADER);
    const client = createAuditApiClient({
      api,
      caller: exchange.caller,
      clientAddress: exchange.clientAddress,
      signal,
      ...(auditToken === undefined ? {} : { auditToken }),
    });
    const server = createAuditLogServer(client, version);
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    await server.connect(transport);
    try {
      const response = await unlessAborted(transport.handleRequest(requestOf(exchange), bodyOf(exchange)), signal);
      if (response === undefined) return undefined;
      const text = await unlessAborted(response.text(), signal);
      if (text === undefined) return undefined;
      return { status: response.status, body: text === '' ? undefined : Buffer.from(text) };
    } finally {
      await server.close();
    }
  }
}

/** As the transport wants it; the path and the host say nothing to it. */
function requestOf(exchange: Exchange): Request {
  const headers = new Headers();
  for (const name of PASSED_HEADERS) {
    const value = exchange.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  return new Request('http://gatelens.invalid/mcp/gatelens', { method: 'POST', headers });
}

function bodyOf(exchange: Exchange): { parsedBody: unknown } {
  return { parsedBody: JSON.parse(exchange.body.toString('utf8')) as unknown };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const gone = (): void => resolve(undefined);
    signal.addEventListener('abort', gone, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}
