/**
 * Where exports may go: destinations of this installation, whose credentials come from the environment, from files or from
 * the machine's own role. What somebody types on the page stays out of private networks unless it is allowed here.
 */
import * as z from 'zod';
import { httpUrl, name, secret, text } from './values.ts';

const file = (about: string) =>
  text({ description: `File that holds the ${about}; read at each use.` }).exactOptional();

const s3Schema = z
  .strictObject({
    bucket: text({ description: 'Bucket.', example: 'audit-exports' }),
    endpoint: httpUrl({ description: 'S3-compatible store; omitted: AWS.' }).exactOptional(),
    region: text({ description: 'Region.' }).default('us-east-1'),
    pathStyle: z
      .boolean()
      .default(false)
      .meta({ description: '`<endpoint>/<bucket>/…` in place of `<bucket>.<endpoint>`.' }),
    sse: z.enum(['none', 'AES256', 'aws:kms']).default('none').meta({ description: 'Encryption by the store.' }),
    kmsKeyId: text({ description: 'Key of `aws:kms`; omitted: the default one.' }).exactOptional(),
    objectLock: z
      .strictObject({
        mode: z.enum(['GOVERNANCE', 'COMPLIANCE']).meta({ description: 'Mode.' }),
        days: z.int().min(1).max(36500).meta({ description: 'Days until an object may be changed or removed.' }),
      })
      .exactOptional()
      .meta({ description: 'Retention of each object.' }),
    accessKeyId: secret({
      description: 'Access key, mostly from the environment.',
      example: "'${S3_ACCESS_KEY}'",
    }).exactOptional(),
    secretAccessKey: secret({ description: 'Secret key.', example: "'${S3_SECRET_KEY}'" }).exactOptional(),
    accessKeyIdFile: file('access key'),
    secretAccessKeyFile: file('secret key'),
  })
  .refine((s3) => (s3.accessKeyId === undefined) === (s3.secretAccessKey === undefined), {
    path: ['secretAccessKey'],
    message: 'access key and secret key come together',
  })
  .refine((s3) => (s3.accessKeyIdFile === undefined) === (s3.secretAccessKeyFile === undefined), {
    path: ['secretAccessKeyFile'],
    message: 'access key and secret key come together',
  })
  .meta({
    description:
      'An S3-compatible bucket. Without credentials, those of the machine: environment, shared files, web identity, container, instance.',
  });

const destinationSchema = z
  .strictObject({
    name: name({ description: 'Name, as schedules and the page know it.', example: 'archive' }),
    directory: text({
      description: 'Directory of this machine; it must be there.',
      example: '/var/lib/gatelens/exports',
    }).exactOptional(),
    s3: s3Schema.exactOptional(),
    https: z
      .strictObject({
        url: httpUrl({ description: 'Takes NDJSON by POST.' }),
        token: secret({ description: 'Bearer token.', example: "'${SIEM_TOKEN}'" }).exactOptional(),
      })
      .exactOptional()
      .meta({ description: 'A collector of a SIEM.' }),
  })
  .refine((one) => [one.directory, one.s3, one.https].filter((kind) => kind !== undefined).length === 1, {
    message: 'needs one of directory, s3, https',
  });

export const exportsSchema = z
  .strictObject({
    destinations: z
      .array(destinationSchema)
      .default([])
      .refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'names a destination twice')
      .meta({ description: 'Where scheduled exports may go, besides what is typed on the page.' }),
    allowPrivateAddresses: z.boolean().default(false).meta({
      description: 'Let destinations that are typed on the page lead into private networks, and be plain http.',
    }),
  })
  .prefault({})
  .meta({ description: 'Scheduled exports.' });

export type ExportsConfig = z.output<typeof exportsSchema>;
