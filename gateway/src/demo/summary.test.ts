import { describe, expect, it } from 'vitest';
import type { DemoCall } from './audit-log.ts';
import { missingOutcomes, outcomeTable, peopleTable } from './summary.ts';

const call = (more: Partial<DemoCall>): DemoCall => ({
  kind: 'request',
  outcome: 'success',
  keyName: 'demo-ana',
  user: { email: 'ana@example.com' },
  client: { name: 'demo-ide', version: '1' },
  server: 'memory',
  operation: 'tools/call',
  deniedBy: null,
  ...more,
});

const CALLS = [
  call({}),
  call({ server: 'files' }),
  call({ kind: 'attempt', outcome: 'denied' }),
  call({ kind: 'stream', outcome: null }),
  call({ keyName: 'demo-nightly', user: {}, outcome: 'timeout' }),
  call({ keyName: null, user: null, client: { name: null, version: null }, kind: 'attempt', outcome: 'denied' }),
];

describe('the summary', () => {
  it('counts outcomes by kind, open streams apart, and only what is there', () => {
    expect(outcomeTable(CALLS)).toEqual({
      head: ['outcome', 'request', 'attempt', 'notification', 'server_request', 'stream', 'all'],
      rows: [
        ['success', '2', '', '', '', '', '2'],
        ['denied', '', '2', '', '', '', '2'],
        ['timeout', '1', '', '', '', '', '1'],
        ['(still open)', '', '', '', '', '1', '1'],
        ['all', '3', '2', '', '', '1', '6'],
      ],
    });
  });

  it('names people, keys without a person, and strangers', () => {
    expect(peopleTable(CALLS).rows).toEqual([
      ['(not known)', '1', 'memory', ''],
      ['ana@example.com', '3', 'files, memory', 'demo-ide 1'],
      ['key demo-nightly', '1', 'memory', 'demo-ide 1'],
    ]);
  });

  it('misses what did not come about, but no crash', () => {
    expect(missingOutcomes(CALLS)).toEqual(['tool_error', 'rpc_error', 'cancelled', 'upstream_unreachable']);
  });
});
