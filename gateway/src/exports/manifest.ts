/**
 * What lies beside the data: window, filters, columns, rows, bytes, SHA-256 of each part, where the rows stand in the
 * chains, signed with the Ed25519 key that signs checkpoints. Checking it needs the files and the public key, nothing of
 * Gatelens' own. A manifest vouches for files as they were written, not for records: `gatelens verify` does that.
 */
import { verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../record/canonical-json.ts';
import { EXPORT_COMPRESSIONS, EXPORT_FORMATS } from './formats.ts';

/** In front of what is signed, so that a signature over something else never passes for one over a manifest. */
const CONTEXT = 'gatelens-export-manifest-v1\n';

const manifestSchema = z.object({
  version: z.literal(1),
  producer: z.string(),
  schedule: z.object({ id: z.string(), name: z.string() }).nullable(),
  window: z.object({ from: z.string(), to: z.string() }),
  previous: z.string().nullable(),
  supplement: z.number().nullable(),
  filters: z.record(z.string(), z.union([z.array(z.string()), z.string(), z.number()])),
  columns: z.array(z.string()),
  format: z.enum(EXPORT_FORMATS),
  compression: z.enum(EXPORT_COMPRESSIONS),
  encryption: z.enum(['none', 'age']),
  recipients: z.array(z.string()),
  payloads: z.boolean(),
  rows: z.number(),
  bytes: z.number(),
  parts: z.array(z.object({ name: z.string(), rows: z.number(), bytes: z.number(), sha256: z.string() })),
  chains: z.array(z.object({ chainId: z.string(), rows: z.number(), firstSeq: z.string(), lastSeq: z.string() })),
  createdAt: z.string(),
  signature: z.object({ algorithm: z.literal('Ed25519'), keyId: z.string(), value: z.string() }),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface ManifestSigner {
  readonly keyId: string;
  /** @returns base64 */
  sign(message: string): string;
}

export function signManifest(content: Omit<Manifest, 'signature'>, signer: ManifestSigner): Manifest {
  const signature = { algorithm: 'Ed25519', keyId: signer.keyId, value: '' } as const;
  return { ...content, signature: { ...signature, value: signer.sign(signedText({ ...content, signature })) } };
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** @returns undefined when it is none */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

export function isSignedBy(manifest: Manifest, publicKey: KeyObject): boolean {
  try {
    const value = Buffer.from(manifest.signature.value, 'base64');
    return verify(null, Buffer.from(signedText(manifest)), publicKey, value);
  } catch {
    return false;
  }
}

/** The manifest without the signature's value, keys sorted, no blanks: the same whoever wrote the JSON. */
function signedText(manifest: Manifest): string {
  return CONTEXT + canonicalJson({ ...manifest, signature: { ...manifest.signature, value: '' } });
}
