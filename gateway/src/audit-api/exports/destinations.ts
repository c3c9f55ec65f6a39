/**
 * From what a schedule says of its destination to one that can be written to: of the configuration by name, or given here
 * with secrets that were sealed. Addresses that were given here stay out of private networks unless the configuration
 * says otherwise.
 */
import { DestinationProblem, type Destination } from '../../exports/destination.ts';
import { httpsDestination } from '../../exports/https-destination.ts';
import { s3Destination } from '../../exports/s3-destination.ts';
import type { ExportDestinationBody, ExportDestinationView } from '../contract.ts';

export interface ConfiguredDestination {
  readonly name: string;
  readonly type: 'directory' | 's3' | 'https';
  readonly destination: Destination;
}

export interface DestinationDeps {
  readonly configured: readonly ConfiguredDestination[];
  readonly allowPrivate: boolean;
  readonly nowMs: () => number;
}

/** What must not be shown; as JSON it is sealed. */
export type DestinationSecret = Readonly<Partial<Record<'accessKeyId' | 'secretAccessKey' | 'token', string>>>;

/** @throws DestinationProblem */
export function destinationOf(
  view: ExportDestinationView,
  secret: DestinationSecret,
  deps: DestinationDeps
): Destination {
  const { allowPrivate, nowMs } = deps;
  if (view.type === 'configured') {
    const found = deps.configured.find(({ name }) => name === view.name);
    if (found !== undefined) return found.destination;
    throw new DestinationProblem(`exports.destinations of the configuration has no "${view.name}" any more.`);
  }
  if (view.type === 'https')
    return httpsDestination({
      url: view.url,
      allowPrivate,
      ...(secret.token === undefined ? {} : { token: secret.token }),
    });
  const { accessKeyId, secretAccessKey } = secret;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new DestinationProblem(
      'Its credentials are not set. Give access key and secret key, or use a destination of the configuration.'
    );
  }
  return s3Destination({
    ...view,
    allowPrivate,
    nowMs,
    credentials: () => Promise.resolve({ accessKeyId, secretAccessKey }),
  });
}

export interface KeptDestination {
  readonly view: ExportDestinationView;
  readonly secret: DestinationSecret;
}

/**
 * Parts what may be shown from what may not. A secret that is left out stays as it was, but never for another address:
 * it would be sent there.
 */
export function keptDestination(asked: ExportDestinationBody, before?: KeptDestination): KeptDestination {
  if (asked.type === 'configured') return { view: asked, secret: {} };
  const known = before !== undefined && addressOf(before.view) === addressOf(asked) ? before.secret : {};
  if (asked.type === 'https') {
    const { token = known.token, ...rest } = asked;
    return { view: { ...rest, credentialsSet: token !== undefined }, secret: token === undefined ? {} : { token } };
  }
  const { accessKeyId = known.accessKeyId, secretAccessKey = known.secretAccessKey, ...rest } = asked;
  const set = accessKeyId !== undefined && secretAccessKey !== undefined;
  return { view: { ...rest, credentialsSet: set }, secret: set ? { accessKeyId, secretAccessKey } : {} };
}

function addressOf(destination: ExportDestinationBody | ExportDestinationView): string {
  if (destination.type === 'configured') return `configured ${destination.name}`;
  if (destination.type === 'https') return `https ${new URL(destination.url).href}`;
  return `s3 ${destination.endpoint ?? ''} ${destination.bucket}`;
}
