/**
 * A real S3-compatible server with one bucket, `audit`, behind a door that checks signatures, since the server knows those
 * of version 4 not, and lets a test hold requests, answer them itself or take the bucket away in the middle.
 */
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import S3rver from 's3rver';
import { isSigned } from './sigv4.ts';

export const S3_KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** What becomes of a request: an answer of the door, none at all, or (undefined) it goes through. */
export type AtTheDoor = (request: string) => { readonly status: number; readonly body: string } | 'held' | undefined;

export interface BucketUnderTest {
  readonly url: string;
  /** method and path of what came, e.g. `PUT /audit/x?partNumber=2&uploadId=…` */
  readonly asked: string[];
  /** requests whose signature was wrong */
  readonly refused: number;
  /** @param door called with the method and path of each request; left out: all go through */
  watch(door?: AtTheDoor): void;
  /** The bucket is gone until it is brought back. */
  vanish(): void;
  comeBack(): void;
  /** names of objects that are there, manifests included */
  objects(): string[];
  close(): Promise<void>;
}

const MISMATCH = { status: 403, body: '<Error><Code>SignatureDoesNotMatch</Code></Error>' };
const UNKNOWN_KEY = { status: 403, body: '<Error><Code>InvalidAccessKeyId</Code></Error>' };
const OBJECT = '._S3rver_object';

export async function startBucket(directory: string): Promise<BucketUnderTest> {
  mkdirSync(directory, { recursive: true });
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: 'audit', configs: [] }],
  });
  const { port } = await server.run();
  const asked: string[] = [];
  let refused = 0;
  let atTheDoor: AtTheDoor = () => undefined;
  const door = createServer((incoming, answer) => {
    const { method = '', url = '', headers } = incoming;
    asked.push(`${method} ${url}`);
    const isRight = isSigned({ method, url, headers }, S3_KEYS.secretAccessKey);
    if (!isRight) refused += 1;
    const isKnown = headers.authorization?.includes(`Credential=${S3_KEYS.accessKeyId}/`) === true;
    const decided = isRight ? atTheDoor(`${method} ${url}`) : isKnown ? MISMATCH : UNKNOWN_KEY;
    if (decided !== undefined) {
      incoming.resume();
      if (decided !== 'held') incoming.on('end', () => answer.writeHead(decided.status).end(decided.body));
      return;
    }
    const passed = httpRequest({ port, host: '127.0.0.1', method, path: url, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    // whoever leaves in the middle leaves no request open behind the door, which close would wait for
    incoming.on('close', () => incoming.complete || passed.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((ready) => door.listen(0, '127.0.0.1', ready));
  const bucket = join(directory, 'audit');
  return {
    url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    asked,
    get refused() {
      return refused;
    },
    watch: (next = () => undefined) => void (atTheDoor = next),
    vanish: () => renameSync(bucket, join(directory, 'gone')),
    comeBack: () => renameSync(join(directory, 'gone'), bucket),
    objects: () =>
      !existsSync(bucket)
        ? []
        : readdirSync(bucket, { recursive: true, encoding: 'utf8' })
            .filter((name) => name.endsWith(OBJECT) && !name.startsWith('.'))
            .map((name) => name.slice(0, -OBJECT.length))
            .sort(),
    close: async () => {
      await new Promise<void>((closed) => {
        door.close(() => closed());
        door.closeAllConnections();
      });
      await server.close();
    },
  };
}
