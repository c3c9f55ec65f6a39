import { describe, expect, it } from 'vitest';
import { judge, parseRetryAfter, retryDelayMs } from './ship-verdict.ts';

const NOW_MS = Date.UTC(2026, 10, 24);
const answer = (status: number, contentType = '', body: Uint8Array = new Uint8Array()) => ({
  status,
  contentType,
  retryAfter: undefined,
  body,
});

describe('the verdict on an answer', () => {
  it.each([
    [200, 'delivered'],
    [202, 'delivered'],
    [204, 'delivered'],
    [302, 'misconfigured'],
    [400, 'refused'],
    [401, 'misconfigured'],
    [403, 'misconfigured'],
    [404, 'refused'],
    [408, 'retry'],
    [413, 'refused'],
    [422, 'refused'],
    [429, 'retry'],
    [500, 'retry'],
    [502, 'retry'],
    [503, 'retry'],
    [504, 'retry'],
  ])('%i means %s', (status, kind) => {
    expect(judge(answer(status), NOW_MS).kind).toBe(kind);
  });

  it('takes a 2xx for delivery only from an OTLP receiver that rejects nothing', () => {
    expect(judge(answer(200, 'text/html', Buffer.from('<form>')), NOW_MS).kind).toBe('misconfigured');
    expect(judge(answer(200, 'application/x-protobuf', Uint8Array.of(0x0a, 2, 8, 1)), NOW_MS).kind).toBe('refused');
  });
});

describe('waiting', () => {
  it.each([
    ['2', 2000],
    ['0', 0],
    ['Tue, 24 Nov 2026 00:00:30 GMT', 30_000],
    ['Tue, 24 Nov 2026 00:00:00 GMT', 0],
    ['999999', 600_000],
    ['soon', undefined],
    [undefined, undefined],
  ])('reads Retry-After %s as %s ms', (header, expected) => {
    expect(parseRetryAfter(header, NOW_MS)).toBe(expected);
  });

  it('doubles from 200 ms to 30 s, between half and all of it', () => {
    expect([1, 2, 3, 8, 9, 1000].map((attempt) => retryDelayMs(attempt, 0.999_999))).toEqual(
      [200, 400, 800, 25_600, 30_000, 30_000].map((expected) => expect.closeTo(expected, -1))
    );
    expect(retryDelayMs(1, 0)).toBe(100);
  });
});
