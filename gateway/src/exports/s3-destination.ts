/**
 * Objects in an S3-compatible store, by the AWS SDK: signing, multipart, credentials are theirs (docs/adr/0008-s3-by-the-aws-sdk.md). An upload is
 * completed or aborted; an object is there whole or not at all. Loaded only where it is used.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import type * as Sdk from '@aws-sdk/client-s3';
import { DestinationProblem, type Destination } from './destination.ts';
import { problemOf, requireAllowed } from './https-destination.ts';
import { publicLookup } from './private-address.ts';

export interface S3Settings {
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly pathStyle: boolean;
  readonly sse: 'none' | 'AES256' | 'aws:kms';
  readonly kmsKeyId?: string | undefined;
  readonly objectLock?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number } | undefined;
  /** left out: the ambient chain (environment, shared files, web identity, container, instance) */
  readonly credentials?: () => Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }>;
  readonly allowPrivate: boolean;
  readonly nowMs: () => number;
}

const DAY_MS = 86_400_000;
const PART_BYTES = 8 * 1024 * 1024;
const ABORT_TIMEOUT_MS = 10_000;
const REMEDY: Readonly<Record<string, string>> = {
  NoSuchBucket: 'There is no such bucket. Make it, or name another.',
  InvalidAccessKeyId: 'It does not know the access key. Set the credentials again.',
  SignatureDoesNotMatch: 'The secret key is wrong. Set the credentials again.',
  AccessDenied: 'The credentials may not do this. Allow PutObject, GetObject, DeleteObject and AbortMultipartUpload.',
  ExpiredToken: 'The credentials have expired. Set them again.',
  PermanentRedirect: 'The bucket is in another region. Name the right one.',
  CredentialsProviderError: 'No credentials were found. Set them, or give the machine a role.',
  SlowDown: 'It asks for patience; the window is made again later.',
  InvalidRequest: 'It does not take the request; object lock and KMS must be switched on for the bucket.',
};

export function s3Destination(settings: S3Settings): Destination {
  const { bucket, endpoint, allowPrivate } = settings;
  const where = `s3://${bucket}${endpoint === undefined ? '' : ` at ${new URL(endpoint).host}`}`;

  const withClient = async <T>(work: (sdk: typeof Sdk, client: Sdk.S3Client) => Promise<T>): Promise<T> => {
    const sdk = await import('@aws-sdk/client-s3');
    if (endpoint !== undefined && !allowPrivate) requireAllowed(new URL(endpoint));
    const lookup = allowPrivate ? {} : { lookup: publicLookup };
    const client = new sdk.S3Client({
      region: settings.region,
      forcePathStyle: settings.pathStyle,
      // checksums that other stores than AWS do not know are sent only where they are required
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: 3,
      requestHandler: {
        connectionTimeout: 10_000,
        socketTimeout: 60_000,
        httpsAgent: new Agent({ keepAlive: true, ...lookup }),
        httpAgent: new HttpAgent({ keepAlive: true, ...lookup }),
      },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(settings.credentials === undefined ? {} : { credentials: await settings.credentials() }),
    });
    try {
      return await work(sdk, client);
    } catch (error) {
      throw told(error, where);
    } finally {
      client.destroy();
    }
  };

  return {
    where,
    keeps: true,
    write: (name, content, { contentType, signal }) =>
      withClient(async ({ AbortMultipartUploadCommand }, client) => {
        const { Upload } = await import('@aws-sdk/lib-storage');
        const { sse, kmsKeyId, objectLock } = settings;
        const upload = new Upload({
          client,
          partSize: PART_BYTES,
          queueSize: 2,
          // parts are taken away below: by the library, a failure to would be told in place of what went wrong
          leavePartsOnError: true,
          params: {
            Bucket: bucket,
            Key: name,
            Body: Readable.from(content, { objectMode: false, highWaterMark: PART_BYTES }),
            ContentType: contentType,
            ...(sse === 'none' ? {} : { ServerSideEncryption: sse }),
            ...(sse === 'aws:kms' && kmsKeyId !== undefined ? { SSEKMSKeyId: kmsKeyId } : {}),
            ...(objectLock === undefined
              ? {}
              : {
                  ObjectLockMode: objectLock.mode,
                  ObjectLockRetainUntilDate: new Date(settings.nowMs() + objectLock.days * DAY_MS),
                  // S3 takes no lock without one
                  ChecksumAlgorithm: 'SHA256',
                }),
          },
        });
        const abort = (): void => void upload.abort();
        signal.addEventListener('abort', abort, { once: true });
        try {
          signal.throwIfAborted();
          await upload.done();
        } catch (error) {
          const { uploadId } = upload;
          if (uploadId !== undefined) {
            const abortion = new AbortMultipartUploadCommand({ Bucket: bucket, Key: name, UploadId: uploadId });
            // where this fails, too, parts stay until the bucket's own rule removes them; no object is made of them
            await client.send(abortion, { abortSignal: AbortSignal.timeout(ABORT_TIMEOUT_MS) }).catch(() => undefined);
          }
          throw error;
        } finally {
          signal.removeEventListener('abort', abort);
        }
      }),
    read: (name) =>
      withClient(async ({ GetObjectCommand }, client) => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
        return Body === undefined ? Buffer.alloc(0) : Buffer.from(await Body.transformToByteArray());
      }),
    remove: (name) =>
      withClient(async ({ DeleteObjectCommand }, client) => {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: name }));
      }),
  };
}

/** Names and status of the answer; its text can hold anything. */
function told(error: unknown, where: string): unknown {
  if (error instanceof DestinationProblem || !(error instanceof Error)) return error;
  const status =
    '$metadata' in error ? (error.$metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode : undefined;
  const name = /^[A-Za-z]{1,60}$/.test(error.name) ? error.name : 'unknown';
  if (status !== undefined || name in REMEDY) {
    const remedy =
      REMEDY[name] ?? (status !== undefined && status >= 500 ? 'It is tried again later.' : 'Look at its log.');
    return new DestinationProblem(`${where} refused (${name}${status === undefined ? '' : `, ${status}`}). ${remedy}`, {
      cause: error,
    });
  }
  return problemOf(error, where);
}
