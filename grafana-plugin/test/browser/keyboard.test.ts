/** Each page with the keyboard alone: whatever can be clicked can be reached with Tab, and shows that it was. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../gateway/test/e2e/until.ts';
import { withoutChromium } from './chromium.ts';
import type { GrafanaUser } from './grafana-user.ts';
import { World } from './world.ts';

const PAGES = ['audit-logs', 'usage', 'sessions', 'exports', 'access-log', 'configuration'];
const MOST_STOPS = 200;

describe.skipIf(withoutChromium())('with the keyboard alone', () => {
  let world: World;
  let marc: GrafanaUser;
  beforeAll(async () => {
    world = await World.start();
    await world.call('ana', 'echo', { text: 'x' });
    await world.call('bob', 'fail', { text: 'x' }, 'memory');
    await world.settled();
    marc = await world.user('marc');
  });
  afterAll(() => world.close());

  it.each(PAGES)('everything on %s that can be clicked is reached, and shows it', async (path) => {
    await (path === 'configuration' ? marc.visitConfiguration() : marc.visit(path));
    const stops = await walk(marc.page);
    expect(stops.length).toBeGreaterThan(2);
    expect(stops.filter(({ isSeen }) => !isSeen).map(({ html }) => html)).toEqual([]);
    expect(await unreached(marc.page)).toEqual([]);
  });

  it('a figure of Usage leads to its calls, a call to its drawer, and Escape back to the list', async () => {
    await marc.visit('usage');
    await focus(marc.page, 'link', 'fail');
    await marc.page.keyboard.press('Enter');
    await until(() => marc.search().get('tool') === 'fail', 'the calls of that tool');
    await marc.rows.first().waitFor();
    await focus(marc.page, 'grid', 'Calls, newest first');
    await marc.page.keyboard.press('ArrowDown');
    await marc.page.keyboard.press('Enter');
    await marc.drawer.waitFor();
    await focus(marc.page, 'tab', 'Response');
    await marc.page.keyboard.press('Enter');
    await marc.drawer.getByText('Opening recorded').waitFor();
    await marc.page.keyboard.press('Escape');
    await marc.drawer.waitFor({ state: 'detached' });
    expect(marc.search().get('tool')).toBe('fail');
  });

  it('a column of Usage is sorted by, and a session is opened', async () => {
    await marc.visit('usage');
    const tools = marc.page.getByRole('region', { name: 'Tools, table' });
    await tools.getByRole('button', { name: 'Errors' }).focus();
    await marc.page.keyboard.press('Enter');
    expect(await tools.locator('tbody tr').first().innerText()).toContain('fail');
    await marc.visit('sessions');
    await marc.page
      .getByRole('region', { name: /^Sessions/ })
      .getByRole('link')
      .first()
      .focus();
    await marc.page.keyboard.press('Enter');
    await until(() => marc.page.url().includes('/sessions/'), 'the session');
  });
});

interface Stop {
  readonly html: string;
  /** it looks different while it has the keyboard */
  readonly isSeen: boolean;
}

/** Presses Tab until everything in the page had the keyboard once. */
async function walk(page: Page): Promise<readonly Stop[]> {
  const stops: Stop[] = [];
  await page.evaluate(() => {
    const start = document.querySelector('main h1') ?? document.querySelector('main');
    if (!(start instanceof HTMLElement)) throw new Error('no page');
    start.tabIndex = -1;
    start.focus();
  });
  for (let count = 0; count < MOST_STOPS; count++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(look);
    if (stop === undefined) break;
    if (stop === 'outside') continue;
    stops.push(stop);
  }
  return stops;
}

/** Marks what has the keyboard. @returns undefined when that had it before */
function look(): Stop | 'outside' | undefined {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element.closest('main') === null) return 'outside';
  if (element.dataset.stop !== undefined) return undefined;
  element.dataset.stop = '';
  // what is drawn in place of the control, as for radio buttons, is its neighbour or what it stands in
  const drawn = [element, element.parentElement, element.parentElement?.parentElement, element.nextElementSibling];
  const appearance = (): string =>
    drawn
      .filter((one) => one instanceof Element)
      .map((one) => {
        const { outline, boxShadow, borderColor, backgroundColor, textDecoration } = getComputedStyle(one);
        return [outline, boxShadow, borderColor, backgroundColor, textDecoration].join('|');
      })
      .join('\n');
  const focused = appearance();
  element.blur();
  const blurred = appearance();
  element.focus();
  return { html: element.outerHTML.slice(0, 200), isSeen: focused !== blurred };
}

/** What shows a hand under the pointer, but neither had the keyboard nor is part of something that has its own keys. */
function unreached(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const own = '[data-stop], [role=grid], [role=tree], [role=radiogroup], [role=tablist], [role=listbox]';
    const isHand = (element: Element | null): boolean =>
      element !== null && getComputedStyle(element).cursor === 'pointer';
    return (
      [...document.querySelectorAll('main *')]
        .filter((element) => isHand(element) && !isHand(element.parentElement) && element.getClientRects().length > 0)
        .filter((element) => element.closest(own) === null && element.querySelector('[data-stop]') === null)
        .filter((element) => !(element instanceof HTMLLabelElement && element.control?.dataset.stop !== undefined))
        // the arrow of a field that opens with the keyboard
        .filter((element) => {
          const menu = element.getAttribute('aria-controls');
          return menu === null || document.querySelector(`input[data-stop][aria-controls="${menu}"]`) === null;
        })
        .map((element) => element.outerHTML.slice(0, 200))
    );
  });
}

/** Tab until it has the keyboard. */
async function focus(page: Page, role: 'link' | 'grid' | 'tab', name: string): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true }).first();
  await wanted.waitFor();
  for (let count = 0; count < MOST_STOPS; count++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no Tab leads to ${role} ${name}`);
}
