/**
 * The destinations of `exports.destinations`, ready to be written to. What the configuration names may lead anywhere: it
 * was written by who runs this machine. Credentials in files are read at each use, so that they can be changed.
 */
import { readFile } from 'node:fs/promises';
import type { ConfiguredDestination, DestinationDeps } from '../audit-api/exports/destinations.ts';
import type { GatelensConfig } from '../config.ts';
import { DestinationProblem } from '../exports/destination.ts';
import { directoryDestination } from '../exports/directory-destination.ts';
import { httpsDestination } from '../exports/https-destination.ts';
import { s3Destination } from '../exports/s3-destination.ts';

type Configured = GatelensConfig['exports']['destinations'][number];
type S3 = NonNullable<Configured['s3']>;

export function configuredDestinations({ exports }: GatelensConfig): Omit<DestinationDeps, 'nowMs'> {
  return { configured: exports.destinations.map(configured), allowPrivate: exports.allowPrivateAddresses };
}

function configured({ name, directory, s3, https }: Configured): ConfiguredDestination {
  if (directory !== undefined) return { name, type: 'directory', destination: directoryDestination(directory) };
  if (s3 !== undefined) return { name, type: 's3', destination: s3Of(s3) };
  if (https === undefined) throw new TypeError('the configuration was not checked');
  const token = https.token === undefined ? {} : { token: https.token };
  return { name, type: 'https', destination: httpsDestination({ url: https.url, ...token, allowPrivate: true }) };
}

function s3Of(s3: S3) {
  const credentials = credentialsOf(s3);
  return s3Destination({
    ...s3,
    allowPrivate: true,
    nowMs: () => Date.now(),
    ...(credentials === undefined ? {} : { credentials }),
  });
}

function credentialsOf(s3: S3) {
  const { accessKeyId, secretAccessKey, accessKeyIdFile, secretAccessKeyFile } = s3;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return () => Promise.resolve({ accessKeyId, secretAccessKey });
  }
  if (accessKeyIdFile === undefined || secretAccessKeyFile === undefined) return undefined;
  return async () => ({
    accessKeyId: await secretIn(accessKeyIdFile),
    secretAccessKey: await secretIn(secretAccessKeyFile),
  });
}

async function secretIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new DestinationProblem('The file with its credentials cannot be read. Look at exports.destinations.', {
      cause,
    });
  }
}
