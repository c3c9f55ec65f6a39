/**
 * Listens for the audit API: HTTP on one address, with limits on headers and time. Ends politely: no new requests, the
 * running ones get a few seconds. Knows nothing of what the API does.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { GatelensError } from '../errors.ts';
import type { ApiEnv } from './deps.ts';
import { FileBody } from './exports/file-body.ts';
import { FILE_HEADER } from './exports/send-file.ts';

const MAX_HEADER_BYTES = 32 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 5000;

export interface AuditApiServer {
  readonly host: string;
  readonly port: number;
  /** e.g. `http://127.0.0.1:8081` */
  readonly url: string;
  close(): Promise<void>;
}

/** @param address port 0 lets the system choose. Rejects with GatelensError `config_invalid` when it cannot be had. */
export async function startAuditApiServer(
  api: OpenAPIHono<ApiEnv>,
  address: { readonly host: string; readonly port: number }
): Promise<AuditApiServer> {
  const server = createAdaptorServer({
    fetch: async (request, bindings) => {
      const answer = await api.fetch(request, bindings);
      const outgoing = bindings.outgoing as ServerResponse;
      if (!answer.headers.has(FILE_HEADER) || !(answer.body instanceof FileBody)) {
        return answer;
      }
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
      void answer.body.writeTo(outgoing);
      return RESPONSE_ALREADY_SENT;
    },
    createServer,
    serverOptions: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
  });
  const { host } = address;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new GatelensError(
          'config_invalid',
          `The audit API cannot listen on ${host}:${address.port} (${error.code ?? 'error'}). Choose another address in listen.auditApi.`,
          { cause: error }
        )
      );
    });
    server.listen(address.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          if ('closeAllConnections' in server) server.closeAllConnections();
        }, CLOSE_TIMEOUT_MS);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        if ('closeIdleConnections' in server) server.closeIdleConnections();
      }),
  };
}
