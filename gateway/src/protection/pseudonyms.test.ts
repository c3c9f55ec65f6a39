import { describe, expect, it } from 'vitest';
import { createPseudonyms } from './pseudonyms.ts';

const SECRET = new Uint8Array(32).fill(7);
const PURPOSES = ['user', 'session', 'rpc_id', 'plaintext'] as const;

describe('pseudonyms', () => {
  it('gives the same hash for the same value, also after a restart and from the cache', () => {
    const first = createPseudonyms(SECRET);
    const second = createPseudonyms(Uint8Array.from(SECRET));
    const hash = first.hash('user', 'ana@example.com');
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(first.hash('user', 'ana@example.com')).toBe(hash);
    expect(second.hash('user', 'ana@example.com')).toBe(hash);
  });

  it('keeps the hashes it gives from one version to the next', () => {
    // Pinned: a change here would cut every person off from their older records.
    expect(createPseudonyms(SECRET).hash('user', 'ana@example.com')).toBe('56c0353cf5951bf81ecc6398c95792b8');
  });

  it('has nothing in common between purposes, values and secrets', () => {
    const one = createPseudonyms(SECRET);
    const other = createPseudonyms(new Uint8Array(32).fill(8));
    const hashes = PURPOSES.flatMap((purpose) => [
      one.hash(purpose, 'a'),
      one.hash(purpose, 'b'),
      one.hash(purpose, ''),
      other.hash(purpose, 'a'),
    ]);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('treats text and its bytes as the same value', () => {
    const pseudonyms = createPseudonyms(SECRET);
    for (const purpose of PURPOSES) {
      expect(pseudonyms.hash(purpose, 'grüße')).toBe(pseudonyms.hash(purpose, Buffer.from('grüße')));
    }
  });

  it('still answers right when far more sessions come than it remembers', () => {
    const pseudonyms = createPseudonyms(SECRET);
    const fresh = createPseudonyms(SECRET);
    for (let at = 0; at < 10_000; at++) pseudonyms.hash('session', `s${at}`);
    for (const at of [0, 5000, 9999]) {
      expect(pseudonyms.hash('session', `s${at}`)).toBe(fresh.hash('session', `s${at}`));
    }
  });

  it('refuses a secret of another length without showing it', () => {
    expect(() => createPseudonyms(Buffer.from('too-short'))).toThrow(/32 bytes, this one has 9/);
    expect(() => createPseudonyms(Buffer.from('too-short'))).not.toThrow(/too-short/);
  });
});
