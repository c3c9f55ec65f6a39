/**
 * JSON-RPC errors that the gateway itself answers with. Texts are ours; of the client only the id comes back, exactly as
 * it was sent.
 */

export interface Answerable {
  readonly batch: boolean;
  readonly messages: readonly { readonly kind: string; readonly id?: string }[];
}

/** @param id JSON text of the id */
export function rpcErrorText(id: string | undefined, code: number, message: string, data?: object): string {
  const more = data === undefined ? '' : `,"data":${JSON.stringify(data)}`;
  return `{"jsonrpc":"2.0","id":${id ?? 'null'},"error":{"code":${code},"message":${JSON.stringify(message)}${more}}}`;
}

/** One error for each request of the body; a single one with `id: null` when it has none. */
export function rpcErrorsFor(body: Answerable, code: number, message: string): string {
  const ids = body.messages.filter((one) => one.kind === 'request').map((one) => one.id);
  if (!body.batch || ids.length === 0) return rpcErrorText(ids[0], code, message);
  return `[${ids.map((id) => rpcErrorText(id, code, message)).join(',')}]`;
}
