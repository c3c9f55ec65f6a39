/**
 * What the gateway itself asks a server behind stdio before it hands it requests of the stateless era: `server/discover`,
 * as the specification recommends, since a server of an earlier era may stay silent, end, or serve the call by other
 * rules; then its tools, for the headers that have to repeat arguments. Requests and their reading only; who sends them
 * and waits is the connection's business. These are no calls of a client, so no record is made of them.
 */
import type { ReceivedMessage } from '../message.ts';
import { STATELESS_REVISION } from '../stateless-request.ts';

export type Discovery =
  | { readonly era: 'stateless'; readonly supported: readonly string[]; readonly hasTools: boolean }
  | { readonly era: 'session' };

/** JSON text of `params._meta` for messages of the gateway's own. */
export const OWN_META = JSON.stringify({
  'io.modelcontextprotocol/protocolVersion': STATELESS_REVISION,
  'io.modelcontextprotocol/clientInfo': { name: 'gatelens', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
});

const UNSUPPORTED_VERSION = -32022;

/** @param rpcId JSON text */
export function discoverRequest(rpcId: string): Buffer {
  return ownRequest(rpcId, 'server/discover', '');
}

/** @param cursor of the page before */
export function toolsRequest(rpcId: string, cursor: string | undefined): Buffer {
  return ownRequest(rpcId, 'tools/list', cursor === undefined ? '' : `"cursor":${JSON.stringify(cursor)},`);
}

function ownRequest(rpcId: string, method: string, params: string): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${rpcId},"method":"${method}","params":{${params}"_meta":${OWN_META}}}`);
}

/** Any error but one of the new era's own, and a result that is none, come from a server of sessions. */
export function readDiscovery(response: ReceivedMessage): Discovery {
  const { result, error } = parse(response);
  if (response.hasError) {
    const supported = versionsIn(recordOf(error?.data).supported);
    return response.errorCode === UNSUPPORTED_VERSION && supported.length > 0
      ? { era: 'stateless', supported, hasTools: false }
      : { era: 'session' };
  }
  const supported = versionsIn(result?.supportedVersions);
  if (supported.length === 0) return { era: 'session' };
  return { era: 'stateless', supported, hasTools: recordOf(result?.capabilities).tools !== undefined };
}

/** @returns the cursor of the next page, undefined after the last */
export function nextPage(response: ReceivedMessage): string | undefined {
  if (!response.bytes.includes('"nextCursor"')) return undefined;
  const cursor = parse(response).result?.nextCursor;
  return typeof cursor === 'string' ? cursor : undefined;
}

function parse(response: ReceivedMessage): Partial<Record<'result' | 'error', Record<string, unknown>>> {
  const message = recordOf(JSON.parse(response.bytes.toString('utf8')));
  return { result: recordOf(message.result), error: recordOf(message.error) };
}

function versionsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((version) => typeof version === 'string') : [];
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
