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

const user = (userKey: string) => ({ userKey, keyName: '', teams: [], authMethod: 'none' }) as const;

describe('what is kept of a message that may belong to several calls', () => {
  it('is what the strictest of them leaves', () => {
    const capture = policyOf('full', 'off');
    capture.decide('c1', callOf('echo'));
    capture.decide('c2', callOf('salary'));
    const log = start({ kind: 'notification', method: 'notifications/message' });
    expect(capture.decide('c3', { ...log, underCallIds: ['c1', 'c2'] }).mode).toBe('off');
    expect(capture.decide('c4', { ...log, underCallIds: ['c1'] }).mode).toBe('full');
    expect(capture.decide('c5', { ...log, parentCallId: 'c1', underCallIds: ['c2'] }).mode).toBe('off');
  });
});

describe('what is kept of a task', () => {
  const about = (method: string, taskId: string, more: Partial<CallStart> = {}): CallStart =>
    start({ method, taskId, ...more });

  it('is what is kept of the call that became it, whoever asks', () => {
    const capture = policyOf('full', 'off');
    const call = callOf('salary');
    capture.taskStarted('t1', 'c1', { ...call, caller: user('ana') }, capture.decide('c1', call));
    for (const method of ['tasks/get', 'tasks/result', 'tasks/update', 'notifications/tasks/status']) {
      expect(capture.decide('c2', about(method, 't1')).mode).toBe('off');
    }
    expect(capture.decide('c3', about('tasks/result', 't1', { caller: user('eve') })).mode).toBe('off');
    expect(capture.callOfTask(about('tasks/get', 't1', { caller: user('ana') }))).toBe('c1');
    expect(capture.callOfTask(about('tasks/get', 't1', { caller: user('eve') }))).toBeUndefined();
    // what comes on the stream of such a request is under it
    capture.decide('c4', about('tasks/result', 't1'));
    expect(capture.decide('c5', under('c4')).mode).toBe('off');
  });

  it("of a tool without a rule is what the server's rule says", () => {
    const capture = policyOf('full', 'off');
    const call = callOf('echo');
    capture.taskStarted('t1', 'c1', call, capture.decide('c1', call));
    expect(capture.decide('c2', about('tasks/result', 't1')).mode).toBe('full');
  });

  it('that nobody knows, as after a restart, is what the strictest rule of its server leaves', () => {
    const capture = policyOf('full', 'off');
    expect(capture.decide('c1', about('tasks/result', 'unknown')).mode).toBe('off');
    expect(capture.decide('c2', about('tasks/list', '')).mode).toBe('off');
    expect(capture.decide('c3', about('tasks/result', 'unknown', { server: 'docs' })).mode).toBe('full');
  });

  it('cannot be loosened by a second call that claims its id', () => {
    const capture = policyOf('full', 'off');
    for (const [id, tool] of [
      ['c1', 'salary'],
      ['c2', 'echo'],
    ] as const) {
      capture.taskStarted('t1', id, callOf(tool), capture.decide(id, callOf(tool)));
    }
    expect(capture.decide('c3', about('tasks/result', 't1')).mode).toBe('off');
  });
});
