/**
 * The real exporter's requests to the store, recorded once and replayed without a collector: every kind it sends, with
 * the OTLP bytes they were made from. `node record-exporter-requests.ts` records them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { StoreUser } from '../../src/store/embedded/permissions.ts';
import type { TappedRequest } from './store-tap.ts';

const FILE = fileURLToPath(new URL('../fixtures/exporter-requests.json.gz', import.meta.url));

export interface ExporterRequest {
  readonly user: StoreUser;
  /** path and query */
  readonly url: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly acceptEncoding: string | undefined;
  readonly bodyBase64: string;
}

export interface Recording {
  /** user agent: versions of exporter and driver */
  readonly client: string;
  readonly otlp: { readonly tracesBase64: string; readonly logsBase64: string };
  /** by value of the exporter's `compress` */
  readonly requests: Readonly<Record<'none' | 'gzip', readonly ExporterRequest[]>>;
}

export function exporterRequest(tapped: TappedRequest): ExporterRequest {
  const credentials = /^Basic (.+)$/.exec(tapped.headers.authorization ?? '')?.[1] ?? '';
  const header = (name: string): string | undefined => tapped.headers[name]?.toString();
  return {
    user: (Buffer.from(credentials, 'base64').toString().split(':')[0] ?? '') as StoreUser,
    url: tapped.url,
    contentType: header('content-type'),
    contentEncoding: header('content-encoding'),
    acceptEncoding: header('accept-encoding'),
    bodyBase64: tapped.body.toString('base64'),
  };
}

export function readRecording(): Recording {
  return JSON.parse(gunzipSync(readFileSync(FILE)).toString()) as Recording;
}

export function writeRecording(recording: Recording): void {
  writeFileSync(FILE, gzipSync(JSON.stringify(recording), { level: 9 }));
}

/** What it asks, without what differs from run to run. */
export function kindOf(request: ExporterRequest): string {
  const url = new URL(request.url, 'http://store');
  const statement = url.searchParams.get('query') ?? Buffer.from(request.bodyBase64, 'base64').toString();
  const names = [...url.searchParams.keys()].filter((name) => name !== 'query').sort();
  return `${request.user} ${statement.replace(/\s+/g, ' ')} ${names.join('&')}`;
}
