/** The audit log page in Chromium, over calls that were really made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../gateway/test/e2e/until.ts';
import { withoutChromium } from './chromium.ts';
import type { GrafanaUser } from './grafana-user.ts';
import { World } from './world.ts';

describe.skipIf(withoutChromium())('the Audit Logs page', () => {
  let world: World;
  let olga: GrafanaUser;

  beforeAll(async () => {
    world = await World.start();
    const { client, close } = await world.client('ana');
    for (let number = 0; number < 400; number++) {
      await client.callTool({ name: 'echo', arguments: { text: `call ${number}` } });
    }
    await close();
    await world.call('bob', 'fail', { text: 'x' });
    await world.call('bob', 'echo', { text: 'x' }, 'memory');
    await world.call('erik', 'fail', { text: 'x' });
    await world.settled();
    olga = await world.user('olga');
  });
  afterAll(() => world.close());

  it('shows who called what, with outcome and time, newest first', async () => {
    await olga.visit('audit-logs');
    await olga.rows.first().waitFor();
    const denied = await olga.row('denied').innerText();
    expect(denied).toContain('erik@example.com');
    expect(denied).toContain('tools/call · fail');
    expect(await olga.row('tool error').innerText()).toContain('bob@example.com');
    expect(await olga.page.getByTestId('timeline-figures').innerText()).toMatch(/^4\d\d calls · \d/);
    expect(olga.troubles).toEqual([]);
  });

  it('keeps at most 80 rows in the document while all of them are scrolled through', async () => {
    await olga.visit('audit-logs?operation=tools%2Fcall&tool=echo');
    const table = olga.page.getByTestId('call-table');
    let most = 0;
    let last = '';
    await until(async () => {
      await table.evaluate((element) => {
        element.scrollTop += 900;
      });
      most = Math.max(most, await olga.rows.count());
      last = await table.innerText();
      return last.includes('This is the start of the range');
    }, 'the end of the list');
    expect(last).toContain('401 calls. This is the start of the range.');
    expect(most).toBeLessThanOrEqual(80);
    expect(most).toBeGreaterThan(10);
  });

  it('says how far a search came and why it ended there, and goes on only when asked', async () => {
    const cut = await world.user('olga');
    const cursors: (string | null)[] = [];
    await cut.page.route('**/api/calls?*', async (route) => {
      const cursor = new URL(route.request().url()).searchParams.get('cursor');
      cursors.push(cursor);
      // as the audit API answers when a limit of one page is reached before anything is found
      if (cursor === 'further') return route.continue({ url: route.request().url().replace('cursor=further', '') });
      await route.fulfill({
        json: { items: [], nextCursor: 'further', searchedTo: '2026-11-20T08:00:00.000000000Z', cutBy: 'time' },
      });
    });
    await cut.page.route('**/api/{timeline,facets}?*', (route) =>
      route.fulfill({ status: 422, json: { error: { code: 'too_large', message: 'Narrow it.', limit: 'rows' } } })
    );
    await cut.visit('audit-logs');
    const said =
      'No call found so far. Searched back to 2026-11-20 08:00:00.000 only: the time for one question was up.';
    await cut.page.getByRole('status').filter({ hasText: said }).waitFor();
    const uncounted = 'Narrow it. Nothing is shown in part: one question may not read more rows.';
    await until(async () => (await cut.page.getByText(uncounted).count()) === 2, 'chart and filters say why');
    expect(new Set(cursors)).toEqual(new Set([null]));
    await cut.page.getByRole('button', { name: 'Search further back' }).click();
    await cut.rows.first().waitFor();
    expect(cursors).toContain('further');
    expect(cut.troubles).toEqual([]);
  });

  it('filters by a facet, turns the filter round, and removes it, all in the address', async () => {
    await olga.visit('audit-logs');
    await olga.page.getByRole('button', { name: 'memory', exact: false }).first().click();
    await until(() => olga.search().get('server') === 'memory', 'the filter in the address');
    await olga.settled();
    expect(await olga.row('bob@example.com').innerText()).toContain('memory');
    expect(await olga.rows.filter({ hasText: 'ana@example.com' }).count()).toBe(0);
    await olga.page.getByRole('button', { name: 'Server: memory', exact: true }).click();
    await until(() => olga.search().get('notServer') === 'memory', 'the opposite in the address');
    await olga.settled();
    expect(await olga.rows.filter({ hasText: 'memory' }).count()).toBe(0);
    await olga.page.getByRole('button', { name: 'Remove the filter Server: not memory' }).click();
    await until(() => !olga.search().has('notServer'), 'no filter in the address');
    await olga.page.goBack();
    await until(() => olga.search().get('notServer') === 'memory', 'the filter again, one step back');
  });

  it('finds words in the metadata, from any place of the page with one key', async () => {
    await olga.visit('audit-logs');
    await olga.page.keyboard.press('/');
    await olga.page.keyboard.type('bob fail');
    await until(() => olga.search().get('q') === 'bob fail', 'the words in the address');
    await until(async () => (await olga.rows.count()) === 1, 'one row');
    expect(await olga.rows.first().innerText()).toContain('tool error');
  });

  it('is walked through with the keyboard alone', async () => {
    await olga.visit('audit-logs?outcome=denied&outcome=tool_error');
    await olga.rows.nth(1).waitFor();
    for (const key of ['j', 'j', 'Enter']) await olga.page.keyboard.press(key);
    await olga.drawer.waitFor();
    expect(await olga.drawer.innerText()).toContain('bob@example.com');
    await olga.page.keyboard.press('ArrowUp');
    await until(async () => (await olga.drawer.innerText()).includes('erik@example.com'), 'the call above');
    await olga.page.keyboard.press('Escape');
    await olga.drawer.waitFor({ state: 'detached' });
    expect(olga.search().has('call')).toBe(false);
  });

  it('shows the same again to whoever gets the link', async () => {
    await olga.visit('audit-logs?outcome=denied&columns=time,user,key,status');
    await olga.rows.first().click();
    await olga.drawer.waitFor();
    await olga.tab('Raw');
    const marc = await world.user('marc');
    await marc.page.goto(olga.page.url());
    await marc.drawer.waitFor();
    await marc.drawer.getByText('erik@example.com').first().waitFor();
    expect(await marc.drawer.getByRole('tab', { selected: true }).innerText()).toBe('Raw');
    const headings = await marc.page.locator('[role=columnheader]').allInnerTexts();
    expect(headings).toEqual(['Time', 'User', 'Status', 'API key']);
  });

  it('zooms into what is drawn over the chart', async () => {
    await olga.visit('audit-logs');
    const chart = olga.page.locator('section[aria-label="Calls over time"] svg').first();
    const box = await chart.boundingBox();
    if (box === null) throw new Error('no chart');
    await olga.page.mouse.move(box.x + box.width * 0.5, box.y + 40);
    await olga.page.mouse.down();
    await olga.page.mouse.move(box.x + box.width * 0.75, box.y + 40, { steps: 5 });
    await olga.page.mouse.up();
    await until(() => /^\d+$/.test(olga.search().get('from') ?? ''), 'a range of instants in the address');
    const hours = (Number(olga.search().get('to')) - Number(olga.search().get('from'))) / 3_600_000;
    expect(hours).toBeGreaterThan(5);
    expect(hours).toBeLessThan(8);
  });

  it('shows a call that is made while somebody looks, and lets it wait while they read', async () => {
    await olga.visit('audit-logs?live=true');
    await olga.page.getByText('Live: new calls come on top').waitFor();
    await olga.page.mouse.move(5, 5);
    await world.call('bob', 'echo', { text: 'live' });
    await olga.row('tools/call · echo').waitFor();
    await olga.rows.first().hover();
    const before = await olga.rows.count();
    await world.call('bob', 'fail', { text: 'later' });
    const waiting = olga.page.getByRole('button', { name: /^\d+ new$/ });
    await waiting.waitFor();
    expect(await olga.rows.count()).toBe(before);
    await waiting.click();
    await olga.row('tools/call · fail').waitFor();
  });

  it('says what to do when nothing fits, and when nothing was ever called', async () => {
    await olga.visit('audit-logs?user=nobody%40example.com');
    await olga.page.getByText('No call fits these filters').waitFor();
    await olga.page.getByRole('button', { name: 'Clear filters' }).first().click();
    await olga.rows.first().waitFor();
    await olga.visit('audit-logs?from=now-2d&to=now-1d');
    await olga.page.getByText('No calls in this range').waitFor();
  });

  it('takes nonsense in the address for nothing', async () => {
    await olga.visit(`audit-logs?from=soon&outcome=great&columns=,,&call=${'x'.repeat(50)}&tab=<script>`);
    await olga.drawer.waitFor();
    expect(await olga.drawer.innerText()).toContain('could not be read');
    expect(olga.troubles).toEqual([]);
  });
});
