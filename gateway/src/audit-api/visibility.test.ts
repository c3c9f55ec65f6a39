import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ApiCaller } from './visibility.ts';
import { explain, payloadHidden, payloadRefusal, visibilityOf } from './visibility.ts';

function caller(over: Partial<ApiCaller>): ApiCaller {
  return { kind: 'token', name: 't', roles: [], userKey: '', auditorServers: '*', ...over };
}

const ANA = 'a'.repeat(32);

describe('visibilityOf', () => {
  test.each([
    ['viewer with identity', caller({ roles: ['viewer'], userKey: ANA }), 'own', 'own', false, false],
    ['viewer without identity', caller({ roles: ['viewer'] }), 'none', 'none', false, false],
    ['admin', caller({ roles: ['admin'] }), 'all', 'all', false, true],
    ['admin with identity', caller({ roles: ['admin'], userKey: ANA }), 'all', 'all', false, true],
    ['auditor', caller({ roles: ['auditor'] }), 'all', 'all', { servers: '*' }, true],
    [
      'auditor of one server',
      caller({ roles: ['auditor'], auditorServers: ['hr'] }),
      'all',
      'all',
      { servers: ['hr'] },
      true,
    ],
    ['auditor who is viewer too', caller({ roles: ['viewer', 'auditor'] }), 'all', 'all', { servers: '*' }, true],
    ['nobody', caller({ userKey: ANA }), 'none', 'none', false, false],
  ] as const)('%s', (_who, who, calls, usage, payloads, identities) => {
    expect(visibilityOf(who)).toMatchObject({ calls, usage, payloads, identities });
  });

  test('an auditor scope on a viewer or admin gives no payloads', () => {
    for (const role of ['viewer', 'admin'] as const) {
      expect(visibilityOf(caller({ roles: [role], userKey: ANA, auditorServers: '*' })).payloads).toBe(false);
    }
  });

  test('cannot be widened afterwards', () => {
    const visibility = visibilityOf(caller({ roles: ['viewer'], userKey: ANA }));
    expect(() => Object.assign(visibility, { calls: 'all' })).toThrow(TypeError);
  });

  test('says why a viewer without identity sees nothing', () => {
    const nothing = visibilityOf(caller({ roles: ['viewer'] }));
    expect(nothing.nothingBecause).toBe('no_identity');
    expect(explain(nothing, 'token').join(' ')).toContain('stands for no person');
  });
});

test('no other file makes a Visibility', () => {
  const src = join(import.meta.dirname, '..');
  const makers = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => /extends Visibility|as (unknown as )?Visibility\b/.test(readFileSync(join(src, file), 'utf8')));
  expect(makers).toEqual(['audit-api/visibility.ts']);
});

describe('payloads', () => {
  const auditor = visibilityOf(caller({ roles: ['auditor'], auditorServers: ['hr'] }));
  const everywhere = visibilityOf(caller({ roles: ['auditor'], auditorServers: ['*'] }));
  const admin = visibilityOf(caller({ roles: ['admin'] }));

  test('are refused outside the servers of an auditor, and to everybody else', () => {
    expect(payloadRefusal(auditor, 'hr')).toBeUndefined();
    expect(payloadRefusal(auditor, 'HR')).toBe('other_server');
    expect(payloadRefusal(auditor, 'github')).toBe('other_server');
    expect(payloadRefusal(auditor, '*')).toBe('other_server');
    expect(payloadRefusal(everywhere, 'github')).toBeUndefined();
    expect(payloadRefusal(admin, 'hr')).toBe('not_auditor');
  });

  test('that were not kept say so before they say who may read', () => {
    expect(payloadHidden(admin, 'hr', 'off')).toBe('capture_off');
    expect(payloadHidden(admin, 'hr', 'sealed')).toBe('not_auditor');
    expect(payloadHidden(auditor, 'github', 'sealed_truncated')).toBe('other_server');
    expect(payloadHidden(auditor, 'hr', 'sealed')).toBeUndefined();
    expect(payloadHidden(auditor, 'hr', 'failed')).toBe('capture_failed');
  });
});
