/** JSON-RPC messages that the stdio bridge itself makes, as bytes. Ids come in as JSON text and go out as they came. */
import { rpcErrorText } from '../rpc-error.ts';

/** @param rpcId JSON text of the id, or `null` */
export function rpcErrorBody(rpcId: string, code: number, message: string): Buffer {
  return Buffer.from(rpcErrorText(rpcId, code, message));
}

/**
 * @param rpcId JSON text of the id of the request that nobody waits for any more
 * @param meta JSON text of `_meta`, where the revision wants one
 */
export function cancelledNotification(rpcId: string, reason: string, meta?: string): Buffer {
  const more = meta === undefined ? '' : `,"_meta":${meta}`;
  const params = `{"requestId":${rpcId},"reason":${JSON.stringify(reason)}${more}}`;
  return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`);
}
