import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from './fixture.ts';
import { canMount, inMountNamespace } from './mount-namespace.ts';

describe.skipIf(!canMount)('a full disk', () => {
  it('refuses records with 16 in flight, and keeps all it took in one chain once there is room again', async () => {
    using dir = temporaryDirectory();
    const child = join(import.meta.dirname, 'spool-child.ts');
    const { stdout } = await inMountNamespace(dir.path, 'size=3m', [child, dir.path, 'disk-full']);
    console.log(`full disk: ${stdout.trim()}`);
    const result = JSON.parse(stdout) as { keptWhenFull: number; keptLater: number };
    expect(result).toMatchObject({
      refusals: ['audit_unavailable'],
      isSame: true,
      isContinuous: true,
      damagedRanges: 0,
    });
    expect(result.keptWhenFull).toBeGreaterThan(100);
    expect(result.keptLater).toBeGreaterThan(50);
  });
});
