/** Encrypts a file to the public keys of its recipients (age), as it is made. Nobody here can open it again. */
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';

export async function* encryptedTo(
  source: AsyncIterable<Buffer>,
  recipients: readonly string[]
): AsyncGenerator<Buffer> {
  if (recipients.length === 0) {
    yield* source;
    return;
  }
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const plain = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return?.();
    },
  });
  const sealed = (await encrypter.encrypt(plain)) as NodeReadableStream<Uint8Array>;
  for await (const piece of sealed) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}

/** Whether this is a key that files can be encrypted to. */
export async function isRecipient(text: string): Promise<boolean> {
  const { Encrypter } = await import('age-encryption');
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}
