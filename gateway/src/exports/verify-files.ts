/**
 * Checks exported files against their manifests: signature, presence, length, SHA-256, rows where they can be counted,
 * and that the windows of a schedule join without gap or overlap, each naming the one before. Reads files only.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { isSignedBy, parseManifest, type Manifest } from './manifest.ts';

export interface VerifiedExport {
  /** of the manifest's file */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly parts: number;
  readonly rows: number;
  /** a sentence each; none: it is as it was exported */
  readonly problems: readonly string[];
}

interface Read {
  readonly file: string;
  readonly manifest: Manifest | undefined;
  readonly problems: string[];
}

/** @param files paths of manifests; parts lie beside them */
export async function verifyManifests(
  files: readonly string[],
  keys: readonly { readonly publicKey: KeyObject }[]
): Promise<VerifiedExport[]> {
  const read: Read[] = files.map((file) => ({
    file,
    manifest: parseManifest(readFileSync(file, 'utf8')),
    problems: [],
  }));
  for (const one of read) await verifyOne(one, keys);
  joinWindows(read);
  return read
    .sort((a, b) => ((a.manifest?.window.from ?? '') < (b.manifest?.window.from ?? '') ? -1 : 1))
    .map(({ file, manifest, problems }) => ({
      name: basename(file),
      from: manifest?.window.from ?? '',
      to: manifest?.window.to ?? '',
      parts: manifest?.parts.length ?? 0,
      rows: manifest?.rows ?? 0,
      problems,
    }));
}

async function verifyOne(
  { file, manifest, problems }: Read,
  keys: readonly { readonly publicKey: KeyObject }[]
): Promise<void> {
  if (manifest === undefined) {
    problems.push('is no manifest, or was changed.');
    return;
  }
  if (!keys.some(({ publicKey }) => isSignedBy(manifest, publicKey))) {
    problems.push(`is not signed by a key that was given; it names key ${manifest.signature.keyId}.`);
  }
  const sum = manifest.parts.reduce((rows, part) => rows + part.rows, 0);
  if (sum !== manifest.rows) problems.push('the rows of its files do not add up.');
  for (const part of manifest.parts) await verifyPart(file, manifest, part, problems);
}

async function verifyPart(
  file: string,
  manifest: Manifest,
  part: Manifest['parts'][number],
  problems: string[]
): Promise<void> {
  // `gatelens export --out` gives another name; a name never leads out of the directory
  const named = join(dirname(file), basename(part.name));
  const renamed = file.replace(/\.manifest\.json$/, '');
  const path = [named, renamed].find((one) => existsSync(one));
  if (path === undefined) {
    problems.push(`${basename(part.name)} is missing.`);
    return;
  }
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  if (bytes !== part.bytes) problems.push(`${basename(path)} has ${bytes} bytes, not ${part.bytes}.`);
  if (hash.digest('hex') !== part.sha256) {
    problems.push(`${basename(path)} is not what was exported: its SHA-256 is another.`);
    return;
  }
  if (manifest.format !== 'jsonl' || manifest.encryption !== 'none') return;
  const rows = await countLines(path, manifest.compression);
  if (rows !== part.rows) problems.push(`${basename(path)} has ${rows} rows, not ${part.rows}.`);
}

async function countLines(path: string, compression: Manifest['compression']): Promise<number> {
  const input = createReadStream(path);
  const expand = compression === 'gzip' ? createGunzip() : compression === 'zstd' ? createZstdDecompress() : undefined;
  const source: Readable = expand === undefined ? input : pipeline(input, expand, () => undefined);
  let rows = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) rows += 1;
    }
  } catch {
    return -1;
  }
  return rows;
}

function joinWindows(read: readonly Read[]): void {
  const schedules = Map.groupBy(
    read.filter(({ manifest }) => manifest?.schedule != null && manifest.supplement === null),
    ({ manifest }) => manifest?.schedule?.id ?? ''
  );
  for (const windows of schedules.values()) {
    windows.sort((a, b) => ((a.manifest?.window.from ?? '') < (b.manifest?.window.from ?? '') ? -1 : 1));
    for (const [index, { manifest, problems }] of windows.entries()) {
      const before = windows[index - 1]?.manifest;
      if (manifest === undefined || before === undefined) continue;
      if (before.window.to < manifest.window.from) {
        problems.push(`between ${before.window.to} and its start a window is missing.`);
      } else if (before.window.to > manifest.window.from) {
        problems.push(`overlaps the window before, which ends at ${before.window.to}.`);
      } else if (manifest.previous !== before.signature.value) {
        problems.push('names another manifest as the one before.');
      }
    }
  }
}
