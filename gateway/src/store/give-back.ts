/**
 * Gives the memory of bytes back that are done with. Left to the garbage collector, which looks at everything to find
 * them, the pieces of a long stream cost more than a tenth of its CPU time.
 */

/** Smaller ones share their memory with others. */
const OWN_MEMORY_BYTES = 32 * 1024;

/** @param bytes nobody reads them any more. Nothing happens unless they are all there is in their memory. */
export function giveBack(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (bytes.length < OWN_MEMORY_BYTES || bytes.length !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
