/**
 * Signatures of requests to S3: the checker of the tests against the examples that AWS published, then what the
 * destination really sends against the checker.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { s3Destination } from '../../src/exports/s3-destination.ts';
import { S3_KEYS, startBucket } from './bucket-under-test.ts';
import { isSigned, signatureOf } from './sigv4.ts';

/** "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk (AWS Signature Version 4)" */
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const SHARED = { host: 'examplebucket.s3.amazonaws.com', 'x-amz-date': '20130524T000000Z' };
const authorization = (signedHeaders: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;

const PUBLISHED: readonly (readonly [string, string, string, Readonly<Record<string, string>>, string, string])[] = [
  [
    'GET Object',
    'GET',
    '/test.txt',
    { range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY },
    'host;range;x-amz-content-sha256;x-amz-date',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT Object',
    'PUT',
    '/test%24file.text',
    {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    },
    'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'GET Bucket Lifecycle',
    'GET',
    '/?lifecycle',
    { 'x-amz-content-sha256': EMPTY },
    'host;x-amz-content-sha256;x-amz-date',
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'GET Bucket (List Objects)',
    'GET',
    '/?max-keys=2&prefix=J',
    { 'x-amz-content-sha256': EMPTY },
    'host;x-amz-content-sha256;x-amz-date',
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
];

test.each(PUBLISHED)('the published example %s', (_name, method, url, headers, signedHeaders, signature) => {
  const request = {
    method,
    url,
    headers: { ...SHARED, ...headers, authorization: authorization(signedHeaders, signature) },
  };
  expect(signatureOf(request, SECRET)).toBe(signature);
  expect(isSigned(request, SECRET)).toBe(true);
  expect(isSigned({ ...request, url: `${url}x` }, SECRET)).toBe(false);
  expect(isSigned(request, `${SECRET}x`)).toBe(false);
});

test('what the destination sends is signed so: one object, several parts, reading, removing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatelens-sigv4-'));
  const bucket = await startBucket(directory);
  try {
    const destination = s3Destination({
      endpoint: bucket.url,
      region: 'eu-central-1',
      bucket: 'audit',
      pathStyle: true,
      sse: 'none',
      allowPrivate: true,
      nowMs: () => Date.now(),
      credentials: () => Promise.resolve(S3_KEYS),
    });
    const { signal } = new AbortController();
    const options = { contentType: 'a/b', idempotencyKey: 'k', compression: 'none', signal } as const;
    const write = (name: string, bytes: number): Promise<void> =>
      destination.write(
        name,
        (async function* () {
          yield Promise.resolve(Buffer.alloc(bytes, 7));
        })(),
        options
      );
    // names as templates may have them
    const name = "a b/it's (1)*!_2026@x=y,z+1:2-0001.jsonl";
    await write(name, 10);
    expect((await destination.read(name)).length).toBe(10);
    await destination.remove(name);
    await write('big', 9 * 1024 * 1024);
    expect((await destination.read('big')).length).toBe(9 * 1024 * 1024);
    expect(bucket.asked.length).toBeGreaterThan(6);
    // the door refuses what is not signed right, so each of these was
    expect(bucket.refused).toBe(0);
  } finally {
    await bucket.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
