/**
 * Names of clients and servers on their way into metadata. A name is text that somebody else wrote: control, format and
 * bidirectional characters are replaced, lengths are capped, lone surrogates made well-formed, and what could be payload
 * (unknown methods, unlisted names, queries of URIs, string ids) is masked. Whatever leaves here may be shown to anybody.
 */
import { isIP } from 'node:net';
import type { Pseudonyms } from '../protection/seams.ts';
import { UNKNOWN_METHOD, UNLISTED } from '../record/vocabulary.ts';
import { isUuid } from './ids.ts';
import { ERROR_TYPE_OTHER, MCP_METHODS } from './semconv.ts';

/** characters of a name in metadata, the mark of a cut included */
const MAX_NAME_CHARS = 256;
const MAX_URI_CHARS = 512;

const PLAIN = /^[\x20-\x7e]*$/;
/** controls, format characters (bidi, zero-width, tags), line and paragraph separators, lone surrogates, private use */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

export function displayText(text: string, maxChars: number = MAX_NAME_CHARS): string {
  const cut = text.length > maxChars;
  const kept = cut ? `${text.slice(0, maxChars - 1)}…` : text;
  return PLAIN.test(kept) ? kept : kept.replace(UNSAFE, '\ufffd');
}

/** @param method as sent; `stream` names GET streams */
export function displayMethod(method: string, kind: string): string {
  if (MCP_METHODS.has(method)) return method;
  return method === 'stream' && (kind === 'stream' || kind === 'attempt') ? method : UNKNOWN_METHOD;
}

export function displayServer(server: string, known: boolean): string {
  return known ? displayText(server) : UNLISTED;
}

/** Resource URI without query, fragment and user info; of `data:` and other opaque URIs only the scheme. */
export function displayUri(uri: string): string {
  let end = uri.length;
  for (const mark of '?#') {
    const at = uri.indexOf(mark);
    if (at !== -1 && at < end) end = at;
  }
  // a backslash counts as a slash in the URL standard, so that it ends an authority, too
  const bare = uri.slice(0, end);
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]{0,63}:/.exec(bare)?.[0];
  if (scheme === undefined) return displayText(bare, MAX_URI_CHARS);
  if (isPayloadScheme(scheme)) return scheme.toLowerCase();
  const rest = bare.slice(scheme.length);
  if (!rest.startsWith('//')) return displayText(bare, MAX_URI_CHARS);
  const authorityEnd = rest.slice(2).search(/[/\\]/);
  const authority = authorityEnd === -1 ? rest.slice(2) : rest.slice(2, authorityEnd + 2);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return displayText(`${scheme}//${host}${authorityEnd === -1 ? '' : rest.slice(authorityEnd + 2)}`, MAX_URI_CHARS);
}

/** A target's name as metadata may show it once it is known to be the upstream server's own. */
export function displayTarget(type: 'tool' | 'prompt' | 'resource', name: string): string {
  return type === 'resource' ? displayUri(name) : displayText(name);
}

/** Schemes whose opaque part is content or a person, not a name. */
function isPayloadScheme(scheme: string): boolean {
  return /^(?:data|javascript|mailto|tel|sip|sips|xmpp|blob|about):$/i.test(scheme);
}

const WHOLE_NUMBER = /^-?\d{1,20}$/;

/** @param rpcId JSON text of the id: whole numbers and UUIDs as sent, anything else as keyed hash */
export function displayRpcId(rpcId: string | undefined, pseudonyms: Pseudonyms): string {
  if (rpcId === undefined || rpcId === 'null' || rpcId === '') return '';
  if (WHOLE_NUMBER.test(rpcId)) return rpcId;
  const text = rpcId.slice(1, -1);
  if (rpcId.startsWith('"') && isUuid(text)) return text;
  return `h:${pseudonyms.hash('rpc_id', rpcId)}`;
}

const PROTOCOL_VERSION = /^(?:\d{4}-\d{2}-\d{2}|DRAFT-\d{4}-v\d{1,2}|draft)$/;

export function displayProtocolVersion(version: string | undefined): string {
  if (version === undefined || version === '') return '';
  return PROTOCOL_VERSION.test(version) ? version : UNKNOWN_METHOD;
}

const ERROR_CLASS = /^(?:-?\d{1,16}|[A-Za-z_][A-Za-z0-9_.]{0,63})$/;

/** A class or code; a text that looks like a message becomes `_OTHER`. */
export function displayErrorType(errorType: string | undefined): string {
  if (errorType === undefined || errorType === '') return '';
  return ERROR_CLASS.test(errorType) ? errorType : ERROR_TYPE_OTHER;
}

/** An IP address, without zone; anything else is dropped. */
export function displayAddress(address: string | undefined): string {
  if (address === undefined) return '';
  const bare = address.split('%', 1)[0] ?? '';
  return isIP(bare) === 0 ? '' : bare;
}
