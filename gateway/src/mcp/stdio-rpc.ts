/** JSON-RPC messages that the stdio bridge itself makes, as bytes. Ids come in as JSON text and go out as they came. */
import { rpcErrorText } from './rpc-error.ts';

/** @param rpcId JSON text of the id, or `null` */
export function rpcErrorBody(rpcId: string, code: number, message: string): Buffer {
  return Buffer.from(rpcErrorText(rpcId, code, message));
}

/** @param rpcId JSON text of the id of the request that nobody waits for any more */
export function cancelledNotification(rpcId: string, reason: string): Buffer {
  const params = `{"requestId":${rpcId},"reason":${JSON.stringify(reason)}}`;
  return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`);
}
