/**
 * Where exported files go. An object appears under its name whole or not at all; writing it again replaces it. Problems
 * are told in words that may be shown: no secret, nothing that the other side said but its status.
 */
export interface Destination {
  /** in words, without secrets */
  readonly where: string;
  /** whether objects can be read back and removed */
  readonly keeps: boolean;
  /** @throws DestinationProblem */
  write(name: string, content: AsyncIterable<Buffer>, options: WriteOptions): Promise<void>;
  /** @throws DestinationProblem */
  read(name: string): Promise<Buffer>;
  /** @throws DestinationProblem */
  remove(name: string): Promise<void>;
}

export interface WriteOptions {
  readonly contentType: string;
  /** the same for the same object of the same window, whenever it is sent */
  readonly idempotencyKey: string;
  readonly compression: 'none' | 'gzip' | 'zstd';
  readonly signal: AbortSignal;
}

export class DestinationProblem extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'DestinationProblem';
  }
}

export interface TestStep {
  readonly step: 'write' | 'read' | 'remove';
  readonly state: 'ok' | 'failed' | 'skipped';
  readonly message: string;
}

/** Really writes a small object, reads it back and removes it. */
export async function testDestination(
  destination: Destination,
  name: string,
  signal: AbortSignal
): Promise<TestStep[]> {
  const steps: TestStep[] = [];
  const content = Buffer.from('{"gatelens":"test of this destination; remove it if you see it"}\n');
  const attempt = async (step: TestStep['step'], good: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      steps.push({ step, state: 'ok', message: good });
      return true;
    } catch (error) {
      const message = error instanceof DestinationProblem ? error.message : 'It failed for a reason that is not known.';
      steps.push({ step, state: 'failed', message });
      return false;
    }
  };
  const options = { contentType: 'application/x-ndjson', idempotencyKey: name, compression: 'none', signal } as const;
  const written = await attempt('write', `An object was written to ${destination.where}.`, () =>
    destination.write(name, once(content), options)
  );
  if (!written || !destination.keeps) {
    const why = written ? 'It takes, and gives nothing back.' : 'Nothing was written.';
    return [
      ...steps,
      { step: 'read', state: 'skipped', message: why },
      { step: 'remove', state: 'skipped', message: why },
    ];
  }
  await attempt('read', 'It was read back, unchanged.', async () => {
    if (!content.equals(await destination.read(name))) {
      throw new DestinationProblem('What was read back is not what was written. Something on the way changes objects.');
    }
  });
  await attempt('remove', 'It was removed.', () => destination.remove(name));
  return steps;
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source of one piece
async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}
