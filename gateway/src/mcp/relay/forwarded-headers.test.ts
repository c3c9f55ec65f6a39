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

it.each([
  'Forwarded',
  'X-Forwarded-For',
  'x-forwarded-user',
  'X-Forwarded-Email',
  'X-Real-IP',
  'Remote-User',
  'X-Remote-User',
  'X-Auth-Request-Email',
  'X-WEBAUTH-USER',
])('hands no word of a client about itself to an upstream that trusts its proxy: %s', (name) => {
  const sent = headersForUpstream(
    [
      [name, 'admin'],
      ['X-Tenant', 'a'],
    ],
    requestHeaderRules({}),
    undefined
  );
  expect(sent).toEqual(['X-Tenant', 'a']);
  const configured = headersForUpstream([[name, 'admin']], requestHeaderRules({ [name]: 'gateway' }), undefined);
  expect(configured).toEqual([name, 'gateway']);
});
