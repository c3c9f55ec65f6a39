/** Payloads in Chromium: shown whole, never run, never freezing. */
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../gateway/test/e2e/until.ts';
import { withoutChromium } from './chromium.ts';
import type { GrafanaUser } from './grafana-user.ts';
import { DEEP_LEVELS, HOSTILE } from './sample-server.ts';
import { World } from './world.ts';

const API = '/api/plugin-proxy/gatelens-mcpaudit-app/api';
/** about 5 MB as JSON */
const BIG_ROWS = 70_000;
/** that a view draws, however much it holds */
const MOST_NODES = 600;

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
    await world.call('ana', 'deep');
    await world.call('ana', 'no-utf8');
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

  it('of five megabytes opens, scrolls and is searched, with few nodes in the document', async () => {
    await open('big', 'Response');
    await vera.choose('Whole message');
    const tree = vera.drawer.getByRole('tree').first();
    await tree.waitFor();
    expect(await nodes(tree)).toBeLessThan(MOST_NODES);
    const search = vera.drawer.getByLabel('Search in the payload');
    await search.fill(`row number ${BIG_ROWS - 1}`);
    await vera.drawer.getByText('1 of 1').first().waitFor();
    await vera.drawer.getByRole('treeitem', { name: `row number ${BIG_ROWS - 1}` }).waitFor();
    expect(await nodes(tree)).toBeLessThan(MOST_NODES);
    await vera.choose('Raw');
    const raw = vera.drawer.getByRole('region', { name: 'Raw' });
    await raw.waitFor();
    await search.fill(`ROW NUMBER ${BIG_ROWS - 1}`);
    await vera.drawer.getByText('1 of 1').first().waitFor();
    await raw.getByText(`row number ${BIG_ROWS - 1}`).waitFor();
    expect(await nodes(raw)).toBeLessThan(MOST_NODES);
    await search.fill('row number');
    await vera.drawer.getByText('1 of 1,000+').waitFor();
    await raw.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await raw.getByText(`"id":${BIG_ROWS - 1}`).waitFor();
    expect(await nodes(raw)).toBeLessThan(MOST_NODES);
    expect(vera.troubles).toEqual([]);
  });

  it('of ten thousand levels opens, is searched down to its bottom, written out and copied', async () => {
    await open('deep', 'Response');
    await vera.choose('Whole message');
    const tree = vera.drawer.getByRole('tree').first();
    await tree.waitFor();
    await vera.drawer.getByLabel('Search in the payload').fill('at the bottom');
    await vera.drawer.getByText('1 of 1').first().waitFor();
    const bottom = tree.getByRole('treeitem', { name: 'at the bottom' });
    await bottom.waitFor();
    expect(await bottom.getAttribute('aria-level')).toBe(String(DEEP_LEVELS + 4));
    expect(await nodes(tree)).toBeLessThan(MOST_NODES);
    await bottom.getByRole('button', { name: 'Copy the path' }).click();
    const path = `$.result.structuredContent.deep${'[0]'.repeat(DEEP_LEVELS)}`;
    await until(async () => (await clipboard()) === path, 'the path on the clipboard');
    await vera.choose('Content');
    await vera.choose('Raw');
    await vera.drawer.getByRole('region', { name: 'Raw' }).waitFor();
    await vera.drawer.getByRole('button', { name: 'Copy', exact: true }).click();
    await until(async () => (await clipboard()).includes('"at the bottom"'), 'the value on the clipboard');
    expect(vera.troubles).toEqual([]);
  });

  it('that is no UTF-8 is shown as bytes, and searched as bytes', async () => {
    await open('no-utf8', 'Response');
    await vera.drawer.getByText('not valid UTF-8: shown as bytes').waitFor();
    const dump = vera.drawer.getByRole('region', { name: 'Bytes' });
    await vera.drawer.getByLabel('Search in the payload').fill('ff fe');
    await vera.drawer.getByText('1 of 1').waitFor();
    expect(await dump.innerText()).toMatch(/ff fe/);
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

  /** Elements below one. */
  const nodes = (below: Locator): Promise<number> => below.evaluate((element) => element.querySelectorAll('*').length);

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
