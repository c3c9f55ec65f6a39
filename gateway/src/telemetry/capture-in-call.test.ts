import { describe, expect, it } from 'vitest';
import type { CallStart } from '../mcp/observer.ts';
import { createCapturePolicy } from '../protection/capture-policy.ts';
import type { CaptureMode } from '../record/vocabulary.ts';
import { CaptureInCall } from './capture-in-call.ts';

const policyOf = (fallback: CaptureMode, salary: CaptureMode): CaptureInCall =>
  new CaptureInCall(
    createCapturePolicy({
      default: fallback,
      maxBytes: 1024,
      rules: [{ server: 'hr', tool: 'salary', mode: salary }],
    })
  );
const start = (more: Partial<CallStart>): CallStart => ({
  kind: 'request',
  server: 'hr',
  serverKnown: true,
  caller: { userKey: '', keyName: '', teams: [], authMethod: 'none' },
  method: 'tools/call',
  upstreamTransport: 'http',
  requestHeaders: [],
  requestBody: Buffer.alloc(0),
  ...more,
});
const callOf = (name: string): CallStart => start({ target: { type: 'tool', name } });
const under = (parentCallId: string): CallStart =>
  start({ kind: 'server_request', method: 'sampling/createMessage', parentCallId });

describe('what is kept of a message under a tool call', () => {
  it.each<[fallback: CaptureMode, salary: CaptureMode, kept: CaptureMode]>([
    ['full', 'off', 'off'],
    ['full', 'hash', 'hash'],
    ['full', 'redacted', 'redacted'],
    ['redacted', 'full', 'redacted'],
    ['off', 'full', 'off'],
  ])('by default %s, of the tool %s: %s', (fallback, salary, kept) => {
    const capture = policyOf(fallback, salary);
    expect(capture.decide('c1', callOf('salary')).mode).toBe(salary);
    expect(capture.decide('c2', under('c1')).mode).toBe(kept);
    expect(capture.decide('c2', under('c1')).maxBytes > 0).toBe(kept !== 'off');
  });

  it('is not changed by other calls', () => {
    const capture = policyOf('full', 'off');
    capture.decide('c1', callOf('salary'));
    capture.decide('c2', callOf('echo'));
    expect(capture.decide('c3', under('c2')).mode).toBe('full');
    expect(capture.decide('c4', under('')).mode).toBe('full');
    expect(capture.decide('c5', start({ method: 'tools/list' })).mode).toBe('full');
  });
});
