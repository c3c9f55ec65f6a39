/** Payloads in Chromium: shown whole, never run, never freezing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../gateway/test/e2e/until.ts';
import { withoutChromium } from './chromium.ts';
import type { GrafanaUser } from './grafana-user.ts';
import { HOSTILE } from './sample-server.ts';
import { World } from './world.ts';

const API = '/api/plugin-proxy/gatelens-mcpaudit-app/api';
/** about 5 MB as JSON */
const BIG_ROWS = 70_000;
const DEEP_LEVELS = 2000;

describe.skipIf(withoutChromium())('a payload', () => {
  let world: World;
  let vera: GrafanaUser;
  /** openings of the picture that this file made to know where the access log is */
  let sentinels = 0;

  beforeAll(async () => {
    world = await World.start();
    await world.call('ana', 'hostile');
    await world.call('ana', 'picture');
    await world.call('ana', 'big', { rows: BIG_ROWS });
    await world.call('ana', 'deep', { levels: DEEP_LEVELS });
    await world.call('ana', 'echo', { text: 'needle in here', nested: { list: [1, 2, 3] } });
    await world.settled();
    vera = await world.user('vera');
  });
  afterAll(() => world.close());

  async function open(tool: string, tab: string): Promise<void> {
    await vera.visit(`audit-logs?tool=${tool}`);
    await vera.rows.first().click();
    await vera.drawer.waitFor();
    await vera.tab(tab);
  }

  it('with scripts, links, ANSI codes, bidi and hidden characters is shown, and nothing of it acts', async () => {
    await open('hostile', 'Response');
    // long lines are broken to the width
    const shown = (await vera.drawer.innerText()).replaceAll('\n', '');
    expect(shown).toContain(HOSTILE.script);
    expect(shown).toContain(HOSTILE.link);
    expect(shown).toContain('␛[31mred');
    expect(shown).toContain('invoice⟨U+202E⟩fdp.exe');
    expect(shown).toContain('no⟨U+200B⟩thing⟨U+E0041⟩');
    expect(shown).toContain('invisible characters made visible');
    expect(await vera.page.evaluate(() => 'stolen' in window)).toBe(false);
    expect(await vera.drawer.locator('a[href^="javascript:"], script, iframe, object, img').count()).toBe(0);
    expect(vera.foreign).toEqual([]);
    expect(vera.troubles).toEqual([]);
  });

  it('that is a picture is drawn', async () => {
    await open('picture', 'Response');
    const image = vera.drawer.getByRole('img', { name: 'Content' });
    await image.waitFor();
    expect(await image.evaluate((element: HTMLImageElement) => element.naturalWidth)).toBe(1);
  });

  it('of five megabytes opens, scrolls and is searched without a long pause', async () => {
    await open('big', 'Overview');
    await vera.page.evaluate(() => {
      const tasks: number[] = [];
      Object.assign(window, { tasks });
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: 'longtask',
      });
    });
    await vera.tab('Response');
    await vera.choose('Whole message');
    const tree = vera.drawer.getByRole('tree').first();
    await tree.waitFor();
    expect(await tree.locator('[role=treeitem]').count()).toBeLessThan(80);
    await vera.drawer.getByLabel('Search in the payload').fill(`row number ${BIG_ROWS - 1}`);
    await vera.drawer.getByText('1 of 1').first().waitFor();
    await vera.drawer.getByRole('treeitem', { name: `row number ${BIG_ROWS - 1}` }).waitFor();
    await vera.choose('Raw');
    await vera.drawer.getByRole('region', { name: 'Raw' }).waitFor();
    const tasks = await vera.page.evaluate(() => (window as unknown as { tasks: number[] }).tasks);
    // parsing and searching five megabytes take their time on a busy machine, but the page stays alive
    expect(Math.max(0, ...tasks)).toBeLessThan(1000);
  });

  it('of two thousand levels opens', async () => {
    await open('deep', 'Response');
    await vera.choose('Whole message');
    await vera.drawer.getByRole('tree').first().waitFor();
    expect(vera.troubles).toEqual([]);
  });

  it('is a tree that folds with the keyboard, and gives its values and paths to the clipboard', async () => {
    await open('echo', 'Request');
    await vera.choose('Whole message');
    const tree = vera.drawer.getByRole('tree');
    await tree.focus();
    await vera.page.keyboard.press('ArrowLeft');
    expect(await tree.locator('[role=treeitem]').count()).toBe(1);
    await vera.page.keyboard.press('ArrowRight');
    await tree.getByRole('treeitem', { name: /needle in here/ }).click();
    await vera.drawer.getByRole('button', { name: 'Copy the path' }).click();
    await until(async () => (await clipboard()) === '$.params.arguments.text', 'the path on the clipboard');
    await vera.drawer.getByRole('button', { name: 'Copy the value' }).click();
    await until(async () => (await clipboard()) === 'needle in here', 'the value on the clipboard');
  });

  it('is opened once while somebody goes through the tabs, and once more when they come again', async () => {
    await vera.visit('audit-logs?tool=echo');
    await vera.rows.first().click();
    const id = vera.search().get('call') ?? '';
    const before = await openings(id);
    await open('echo', 'Request');
    for (const tab of ['Response', 'Headers', 'Overview', 'Request']) await vera.tab(tab);
    expect(await openings(id)).toBe(before + 1);
    await open('echo', 'Response');
    expect(await openings(id)).toBe(before + 2);
  });

  it('has its headers, with credentials redacted where they stand', async () => {
    await open('echo', 'Headers');
    const shown = await vera.drawer.innerText();
    expect(shown).toMatch(/authorization\s+Bearer \[redacted:/i);
    expect(shown).not.toContain('gl_');
  });

  it('is found by a text in it, by auditors alone, and the text is in no address', async () => {
    await vera.visit('audit-logs?demo=false');
    await vera.page.getByRole('button', { name: 'Payloads' }).click();
    await vera.page.locator('#payload-search-text').fill('NEEDLE in here');
    await vera.page.keyboard.press('Enter');
    const status = vera.page.getByTestId('payload-search-status');
    await status.getByText('1 call found', { exact: false }).waitFor();
    const found = vera.page.getByRole('list', { name: 'Calls that hold the text' });
    expect(await found.innerText()).toContain('needle in here');
    expect(vera.page.url()).not.toContain('eedle');
    await found.getByRole('button').click();
    await vera.drawer.getByText('Opening recorded').waitFor();
    expect(vera.search().get('tab')).toBe('request');
    await vera.page.keyboard.press('Escape');
    await vera.page.getByRole('button', { name: '1', exact: true }).click();
    await found.getByRole('button').waitFor();
    const olga = await world.user('olga');
    await olga.visit('audit-logs');
    expect(await olga.page.getByRole('button', { name: 'Payloads' }).count()).toBe(0);
    expect(vera.troubles).toEqual([]);
  });

  const clipboard = (): Promise<string> => vera.page.evaluate(() => navigator.clipboard.readText());

  /** As the access log has them, once everything that was asked before is in it. */
  async function openings(callId: string): Promise<number> {
    const other = await vera.page.evaluate(async (base) => {
      const page = (await (await fetch(`${base}/calls?tool=picture&limit=1`)).json()) as { items: { id: string }[] };
      const found = page.items[0]?.id ?? '';
      await (await fetch(`${base}/calls/${found}/payload`)).text();
      return found;
    }, API);
    sentinels += 1;
    await until(async () => (await entries(other)) >= sentinels, 'the last opening in the access log');
    return entries(callId);
  }

  function entries(callId: string): Promise<number> {
    return vera.page.evaluate(
      async ([base, id]) => {
        const answer = await fetch(`${base}/access-log?action=payload.read&callId=${id}`);
        return ((await answer.json()) as { items: unknown[] }).items.length;
      },
      [API, callId] as const
    );
  }
});
