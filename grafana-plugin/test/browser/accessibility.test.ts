/** Each page, in both themes, under axe: nothing serious. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutChromium } from './chromium.ts';
import type { GrafanaUser } from './grafana-user.ts';
import { World } from './world.ts';
import { searchPayloads } from '../screenshots/steps.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface View {
  readonly name: string;
  readonly path: string;
  readonly tab?: string;
  readonly open?: (user: GrafanaUser) => Promise<unknown>;
}

const press = (name: string) => (user: GrafanaUser) => user.page.getByRole('button', { name, exact: true }).click();

const VIEWS: readonly View[] = [
  { name: 'audit log', path: 'audit-logs' },
  { name: 'audit log without a call', path: 'audit-logs?user=nobody%40example.com' },
  { name: 'overview of a call', path: 'audit-logs?tool=echo', tab: 'Overview' },
  { name: 'request of a call', path: 'audit-logs?tool=echo', tab: 'Request' },
  { name: 'headers of a call', path: 'audit-logs?tool=echo', tab: 'Headers' },
  { name: 'session of a call', path: 'audit-logs?tool=echo', tab: 'Session' },
  { name: 'record of a call', path: 'audit-logs?tool=echo', tab: 'Raw' },
  { name: 'live audit log', path: 'audit-logs?live=true' },
  { name: 'form of a filter', path: 'audit-logs', open: press('Filter') },
  { name: 'choice of columns', path: 'audit-logs', open: press('Columns') },
  { name: 'saved views', path: 'audit-logs', open: press('Saved views') },
  { name: 'search in payloads', path: 'audit-logs?tool=echo', open: searchPayloads },
  { name: 'usage', path: 'usage' },
  { name: 'sessions', path: 'sessions' },
  {
    name: 'one session',
    path: 'sessions',
    open: (user) =>
      user.page
        .getByRole('region', { name: /^Sessions/ })
        .getByRole('link')
        .first()
        .click(),
  },
  { name: 'exports', path: 'exports' },
  { name: 'access log', path: 'access-log' },
  { name: 'configuration', path: 'configuration' },
];

describe.skipIf(withoutChromium())('for everybody', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
    await world.call('ana', 'echo', { text: 'x' });
    await world.call('bob', 'fail', { text: 'x' }, 'memory');
    await world.call('erik', 'fail', { text: 'x' });
    await world.settled();
  });
  afterAll(() => world.close());

  describe.each(['dark', 'light'] as const)('in the %s theme', (theme) => {
    let user: GrafanaUser;
    beforeAll(async () => {
      user = await world.user('marc', { theme });
    });

    it.each(VIEWS)('$name', async ({ path, tab, open }) => {
      await (path === 'configuration' ? user.visitConfiguration() : user.visit(path));
      if (tab !== undefined) {
        await user.rows.first().click();
        await user.drawer.waitFor();
        await user.tab(tab);
      }
      await open?.(user);
      // the contrast of a pointed-at primary button is Grafana's
      if (open !== undefined) await user.page.mouse.move(0, 0);
      await user.settled();
      const found = await violations(user.page);
      if (open !== undefined) await user.page.keyboard.press('Escape');
      expect(found).toEqual([]);
    });
  });
});

async function violations(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  // colours that are still changing are not those that are read
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every(({ playState, effect }) => playState !== 'running' || effect?.getComputedTiming().endTime === Infinity)
  );
  const { violations: found } = await page.evaluate(() => {
    const { axe } = window as unknown as { axe: { run(context: object): Promise<AxeResults> } };
    // the stand-in's own frame is not what is judged; what is behind a small window cannot be reached while it is open
    const window_ = document.querySelector('[data-testid=toggletip-content]');
    const include = window_ === null ? [['main'], ['[role=dialog]']] : [['[data-testid=toggletip-content]']];
    return axe.run({ include: include.filter(([one]) => document.querySelector(one ?? '')) });
  });
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}
