import { describe, expect, it } from 'vitest';
import { headersInBatch, keptHeaders } from './kept-headers.ts';

const usual = [
  ['Host', 'gate.example'],
  ['Authorization', `Bearer ${'t'.repeat(200)}`],
  ['Mcp-Session-Id', 'a'.repeat(36)],
] as const;

describe('headers that are kept', () => {
  it('are the same ones as long as they fit', () => {
    expect(keptHeaders(usual, { bytes: 4096, valueChars: 512 })).toBe(usual);
    expect(headersInBatch(usual, 'call-1')).toBe(usual);
  });

  it('are cut and left out beyond, which is said', () => {
    const many = Array.from({ length: 50 }, (_, index) => [`x-${index}`, 'y'.repeat(1000)] as const);
    const kept = keptHeaders([...usual, ...many], { bytes: 2000, valueChars: 300 });
    expect(kept.slice(0, 3)).toEqual(usual);
    expect(kept[3]).toEqual(['x-0', `${'y'.repeat(300)}… (1000 characters)`]);
    expect(kept.at(-1)).toEqual(['(left out)', expect.stringMatching(/^4\d headers of \d+ bytes$/)]);
    expect(JSON.stringify(kept).length).toBeLessThan(2400);
  });

  it('say in a batch where they are whole', () => {
    const kept = headersInBatch([...usual, ['x', 'y'.repeat(1000)]], 'call-1');
    expect(kept.at(-1)).toEqual(['(left out)', '0 headers of 0 bytes; all are whole in call call-1']);
  });
});
