import { expect, it } from 'vitest';
import { headersForUpstream, requestHeaderRules } from './forwarded-headers.ts';

it.each(['Authorization', 'Cookie', 'X-Api-Key', 'X-Gatelens-Audit-Token', 'x-gatelens-audit-token'])(
  'hands no credential for the gateway to an upstream: %s',
  (name) => {
    const sent = headersForUpstream(
      [
        [name, 'secret'],
        ['X-Trace', 'a'],
      ],
      requestHeaderRules({}),
      undefined
    );
    expect(sent).toEqual(['X-Trace', 'a']);
  }
);
