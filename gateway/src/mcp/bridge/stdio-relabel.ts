/**
 * Exchanges the ids in a message by splicing bytes: everything else passes as it came, so numbers keep their digits, keys
 * their order and strings their escapes. Also reads what a child wrote into messages. Stands between the id maps of a
 * session and the wire, in both directions.
 */
import { isUtf8 } from 'node:buffer';
import { JsonScanner } from '../scan/json-scanner.ts';
import type { ByteRange, ReceivedMessage } from '../message.ts';
import type { TraceContextCarrier } from '../observer.ts';
import { traceEdit, type Edit, type InjectMeta } from '../trace-splice.ts';

/** New JSON texts for what the message has; what it does not have stays away. */
export interface Labels {
  readonly id?: string;
  readonly progressToken?: string;
  readonly requestId?: string;
  readonly subscriptionId?: string;
  /** for `params._meta` */
  readonly trace?: TraceContextCarrier;
  /** default `always` */
  readonly injectMeta?: InjectMeta;
}

export function relabel(message: ReceivedMessage, labels: Labels): Buffer {
  const edits: Edit[] = [];
  const replace = (range: ByteRange | undefined, text: string | undefined): void => {
    if (range !== undefined && text !== undefined) edits.push({ ...range, text });
  };
  replace(message.idRange, labels.id);
  replace(message.progressTokenRange, labels.progressToken);
  replace(message.requestIdRange, labels.requestId);
  replace(message.subscriptionIdRange, labels.subscriptionId);
  const traced =
    labels.trace === undefined ? undefined : traceEdit({ message, trace: labels.trace }, labels.injectMeta ?? 'always');
  if (traced !== undefined) edits.push(traced);
  return splice(message, edits);
}

function splice(message: ReceivedMessage, edits: readonly Edit[]): Buffer {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(message.bytes.subarray(from, edit.start - message.range.start), Buffer.from(edit.text));
    from = edit.end - message.range.start;
  }
  parts.push(message.bytes.subarray(from));
  return Buffer.concat(parts);
}

/**
 * The messages in a line of a child: one, or several in a batch of revision 2025-03-26. `garbage` counts what is no
 * message that can be passed on: not JSON, not UTF-8, not JSON-RPC, or with an id or method that could be read two ways.
 */
export function readLine(line: Buffer): { readonly messages: readonly ReceivedMessage[]; readonly garbage: number } {
  const nothing = { messages: [], garbage: 1 };
  if (!isUtf8(line)) return nothing;
  const scanner = new JsonScanner();
  scanner.feed(line);
  const result = scanner.end();
  if (!result.ok) return result.reason === 'empty' ? { messages: [], garbage: 0 } : nothing;
  const messages = result.body.messages
    .filter((message) => message.kind !== 'invalid' && message.ambiguous.length === 0)
    .map((message) => ({ ...message, bytes: line.subarray(message.range.start, message.range.end) }));
  return { messages, garbage: result.body.messages.length - messages.length };
}
