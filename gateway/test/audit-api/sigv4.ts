/**
 * Checks AWS signatures, version 4, of requests as they come in, from the published description alone; nothing of the SDK
 * that signs is used. Checked itself against the published examples (sigv4.test.ts). Headers only, no presigned addresses.
 */
import { createHash, createHmac } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  /** path and query as they were sent */
  readonly url: string;
  /** by lower-case name */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/;

/** @returns the signature that the request should have; undefined: it is not signed this way */
export function signatureOf(request: SignedRequest, secretAccessKey: string): string | undefined {
  const found = AUTHORIZATION.exec(String(request.headers.authorization));
  if (found === null) return undefined;
  const [, , day = '', region = '', service = '', signed = ''] = found;
  const [path = '', query = ''] = request.url.split('?');
  const parameters = query
    .split('&')
    .filter((one) => one !== '')
    .map((one) => (one.includes('=') ? one : `${one}=`))
    .sort();
  const headers = signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [
    request.method,
    path,
    parameters.join('&'),
    headers.join(''),
    signed,
    String(request.headers['x-amz-content-sha256']),
  ].join('\n');
  const toSign = [
    'AWS4-HMAC-SHA256',
    String(request.headers['x-amz-date']),
    `${day}/${region}/${service}/aws4_request`,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, toSign).toString('hex');
}

export function isSigned(request: SignedRequest, secretAccessKey: string): boolean {
  const given = AUTHORIZATION.exec(String(request.headers.authorization))?.[6];
  return given !== undefined && given === signatureOf(request, secretAccessKey);
}
