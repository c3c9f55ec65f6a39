/**
 * Sends each file by POST, as a SIEM takes NDJSON. Only a 2xx counts; nothing is followed elsewhere. What broke off is
 * sent again under the same `Idempotency-Key`, and rows can be told apart by chain and position.
 */
import { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { DestinationProblem, type Destination } from './destination.ts';
import { PrivateAddress, publicLookup, requirePublicHost } from './private-address.ts';

export interface HttpsSettings {
  readonly url: string;
  readonly token?: string;
  /** may lead into a private network, and be http there */
  readonly allowPrivate: boolean;
}

const ANSWER_TIMEOUT_MS = 60_000;
const REMEDY: Readonly<Record<number, string>> = {
  401: 'It does not know the token. Set it again.',
  403: 'The token may not write there.',
  404: 'There is nothing at this address.',
  413: 'The file is too long for it. Export more often.',
  429: 'It asks for patience; the window is sent again later.',
};

export function httpsDestination({ url, token, allowPrivate }: HttpsSettings): Destination {
  const target = new URL(url);
  const where = `${target.origin}${target.pathname}`;
  return {
    where,
    keeps: false,
    async write(name, content, { contentType, idempotencyKey, compression, signal }) {
      if (!allowPrivate) requireAllowed(target);
      const agent = new Agent({
        headersTimeout: ANSWER_TIMEOUT_MS,
        bodyTimeout: ANSWER_TIMEOUT_MS,
        connect: allowPrivate ? {} : { lookup: publicLookup },
      });
      try {
        const answer = await request(target, {
          method: 'POST',
          dispatcher: agent,
          signal,
          headers: {
            'content-type': contentType,
            'idempotency-key': idempotencyKey,
            'x-gatelens-object': encodeURI(name),
            ...(compression === 'none' ? {} : { 'content-encoding': compression }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
          body: Readable.from(content, { objectMode: false }),
        });
        answer.body.on('error', () => undefined).destroy();
        const { statusCode } = answer;
        if (statusCode >= 200 && statusCode < 300) return;
        const remedy = REMEDY[statusCode] ?? (statusCode >= 500 ? 'It is sent again later.' : 'Look at its log.');
        throw new DestinationProblem(`${where} answered ${statusCode}. ${remedy}`);
      } catch (error) {
        if (error instanceof DestinationProblem || signal.aborted) throw error;
        throw problemOf(error, where);
      } finally {
        await agent.destroy();
      }
    },
    read: () => Promise.reject(new DestinationProblem('It gives nothing back.')),
    remove: () => Promise.reject(new DestinationProblem('It gives nothing back.')),
  };
}

/** @throws DestinationProblem for an address that only a configuration may name */
export function requireAllowed(target: URL): void {
  try {
    requirePublicHost(target);
  } catch (cause) {
    throw privateAddress(cause);
  }
  if (target.protocol !== 'https:')
    throw new DestinationProblem('Only https leaves this network. Use an https address.');
}

/** What of an error may be told: whether it was ours, and its code. */
export function problemOf(error: unknown, where: string): Error {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 4; one = one.cause, depth++) {
    if (one instanceof PrivateAddress) return privateAddress(error);
    if (
      'code' in one &&
      /^(E[A-Z]+|UND_ERR_[A-Z_]+|CERT_[A-Z_]+|DEPTH_ZERO[A-Z_]*|SELF_SIGNED[A-Z_]*|UNABLE_TO[A-Z_]*)$/.test(
        String(one.code)
      )
    ) {
      return new DestinationProblem(
        `${where} cannot be reached (${String(one.code)}). Check address, network and certificate.`,
        {
          cause: error,
        }
      );
    }
  }
  return error instanceof Error ? error : new TypeError('unknown');
}

function privateAddress(cause: unknown): DestinationProblem {
  return new DestinationProblem(
    'This address leads into a private network. Put the destination into exports.destinations of the configuration, or set exports.allowPrivateAddresses.',
    { cause }
  );
}
