/**
 * Opens the sealed parts of one call in memory and says for each direction what became of it. Nothing leaves from here:
 * the route sends the result only after the access was recorded. Ciphertext that is not the one the chain vouches for
 * is not opened.
 */
import { hash } from 'node:crypto';
import type { Direction, Envelope } from '../record/payload-events.ts';
import { ENVELOPE_ALG, ENVELOPE_VERSION } from '../record/payload-events.ts';
import type { PayloadOpener } from '../protection/payload-opener.ts';
import { KeyUnknownError } from '../protection/payload-opener.ts';
import type { WrappedDataKey } from '../protection/seams.ts';
import type { CallRow } from '../store/queries/call-row.ts';
import type { DataKeyRow, SealedRow } from '../store/queries/payload.ts';
import type { CallPayload, PayloadPart } from './contract.ts';

export interface SealedParts {
  readonly rows: readonly SealedRow[];
  readonly keys: ReadonlyMap<string, DataKeyRow>;
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NS_PER_MS = 1_000_000n;

export interface OpenContext {
  readonly opener: PayloadOpener;
  readonly nowMs: number;
  readonly retention: { readonly payloads: number };
}

type OpenableCall = Pick<CallRow, 'call_id' | 'started_ns' | 'payload_state' | 'request_sha256' | 'response_sha256'>;

/** @param sealed undefined when nothing was kept for the call */
export async function openParts(
  call: OpenableCall,
  sealed: SealedParts | undefined,
  context: OpenContext
): Promise<CallPayload> {
  const part = async (direction: Direction, recordedSha256: string): Promise<PayloadPart> => {
    if (sealed === undefined) return { state: 'none' };
    const row = sealed.rows.find((one) => one.direction === direction);
    if (row === undefined) return { state: recordedSha256 === '' ? 'none' : whyMissing(call, context) };
    return openPart(call.call_id, row, recordedSha256, sealed.keys.get(row.key_id), context.opener);
  };
  return {
    callId: call.call_id,
    state: call.payload_state as CallPayload['state'],
    request: await part('request', call.request_sha256),
    response: await part('response', call.response_sha256),
  };
}

function whyMissing(call: OpenableCall, { nowMs, retention }: OpenContext): 'missing' | 'expired' {
  const startedMs = Number(BigInt(call.started_ns) / NS_PER_MS);
  return nowMs - startedMs >= retention.payloads ? 'expired' : 'missing';
}

async function openPart(
  callId: string,
  row: SealedRow,
  recordedSha256: string,
  key: DataKeyRow | undefined,
  opener: PayloadOpener
): Promise<PayloadPart> {
  const ct = row.ciphertext;
  const sha256 = hash('sha256', ct);
  const digests = { sha256, ...(row.digest === '' ? {} : { digest: row.digest }) };
  if (recordedSha256 !== '' && recordedSha256 !== sha256) return { state: 'damaged', ...digests };
  if (key?.destroyed === true) return { state: 'key_destroyed', ...digests };
  if (key === undefined) return { state: 'key_unavailable', ...digests };
  const envelope = envelopeOf(row, ct);
  if (envelope === undefined) return { state: 'damaged', ...digests };
  try {
    const dataKey = await opener.unwrap(wrappedKeyOf(key));
    const { head, body } = opener.open(envelope, { callId, direction: row.direction }, dataKey);
    return {
      state: 'opened',
      ...digests,
      mode: head.mode,
      format: head.format,
      headers: head.headers.map(([name, value]) => [name, value]),
      bytes: head.bytes,
      truncated: head.truncated,
      redacted: [...head.redacted],
      ...bodyOf(body),
    };
  } catch (error) {
    return { state: error instanceof KeyUnknownError ? error.reason : 'damaged', ...digests };
  }
}

function envelopeOf(row: SealedRow, ct: Uint8Array): Envelope | undefined {
  if (row.v !== ENVELOPE_VERSION || row.alg !== ENVELOPE_ALG) return undefined;
  if (row.comp !== 'none' && row.comp !== 'zstd') return undefined;
  const nonce = Buffer.from(row.nonce, 'base64');
  return { v: ENVELOPE_VERSION, alg: ENVELOPE_ALG, keyId: row.key_id, nonce, comp: row.comp, ct };
}

function wrappedKeyOf(row: DataKeyRow): WrappedDataKey {
  const { key_id: keyId, subject, gateway, epoch, kek_id: kekId } = row;
  return { keyId, subject, gateway, epoch, kekId, wrapped: Buffer.from(row.wrapped_base64, 'base64') };
}

/** Exact bytes: text where it is valid UTF-8 (a byte order mark stays), base64 elsewhere. */
function bodyOf(body: Uint8Array): { bodyText: string } | { bodyBase64: string } {
  try {
    return { bodyText: UTF_8.decode(body) };
  } catch {
    return { bodyBase64: Buffer.from(body).toString('base64') };
  }
}
