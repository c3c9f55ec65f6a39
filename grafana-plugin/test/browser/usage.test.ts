/** The Usage page in Chromium: its figures are those of the calls that were made, and lead to them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../gateway/test/e2e/until.ts';
import { withoutChromium } from './chromium.ts';
import type { GrafanaUser } from './grafana-user.ts';
import { World } from './world.ts';

describe.skipIf(withoutChromium())('the Usage page', () => {
  let world: World;
  let olga: GrafanaUser;

  beforeAll(async () => {
    world = await World.start({
      usage: {
        cost: { currency: 'EUR', perMillionTokens: 1_000_000, rules: [{ server: 'memory', perMillionTokens: 0 }] },
      },
    });
    for (let count = 0; count < 5; count++) await world.call('ana', 'echo', { text: 'x' });
    for (let count = 0; count < 3; count++) await world.call('bob', 'fail', { text: 'x' }, 'memory');
    await world.settled();
    olga = await world.user('olga', { width: 1920 });
    await olga.visit('usage');
    await olga.page.getByText('Users and servers').waitFor();
    await olga.settled();
  });
  afterAll(() => world.close());

  const table = (label: string) => olga.page.getByRole('region', { name: `${label}, table`, exact: true });

  it('counts by server, tool, user and client', async () => {
    const tools = await table('Tools').innerText();
    expect(tools).toMatch(/echo\s+sample\s+5\s+0%/);
    expect(tools).toMatch(/fail\s+memory\s+3\s+100%/);
    expect(await table('Servers').innerText()).toMatch(/memory/);
    expect(await table('Clients and versions').innerText()).toMatch(/ana-client\s+1\.0/);
    const users = await table('Users and servers').innerText();
    expect(users).toContain('ana@example.com');
    expect(users).toContain('bob@example.com');
    expect(olga.troubles).toEqual([]);
  });

  it('shows what tokens cost, with the currency, where prices are configured', async () => {
    const tile = olga.page
      .getByRole('list', { name: 'Figures' })
      .getByRole('listitem')
      .filter({ hasText: 'Est. cost' });
    expect(await tile.innerText()).toMatch(/€[1-9][\d,]*\.00/);
    expect(await table('Tools').innerText()).toMatch(/fail\s+memory\s+3\s+100%.*€0\.00/s);
    await table('Servers').getByRole('button', { name: 'Est. cost' }).click();
    expect(await table('Servers').locator('tbody tr').first().innerText()).toMatch(/^sample.*€[1-9]/s);
    expect(await table('Clients and versions').innerText()).toMatch(/ana-client.*€[1-9]/s);
  });

  it('leads from a figure to the calls behind it, and there are as many', async () => {
    await table('Tools').getByRole('link', { name: 'fail' }).click();
    await until(() => olga.search().get('tool') === 'fail', 'the audit log of that tool');
    await olga.rows.first().waitFor();
    expect(await olga.rows.count()).toBe(3);
    expect(await olga.page.getByTestId('timeline-figures').innerText()).toContain('3 calls · 100% failed');
    await olga.page.goBack();
    await olga.page.getByText('Users and servers').waitFor();
  });

  it('sorts and searches tables, and saves them as CSV', async () => {
    await table('Tools').getByRole('button', { name: 'Errors' }).click();
    expect(await table('Tools').locator('tbody tr').first().innerText()).toContain('fail');
    await olga.page.getByLabel('Search in tools').fill('echo');
    expect(await table('Tools').locator('tbody tr').count()).toBe(1);
    const [file] = await Promise.all([
      olga.page.waitForEvent('download'),
      olga.page.getByRole('button', { name: 'Save tools as CSV' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('gatelens-usage-tools.csv');
    const stream = await file.createReadStream();
    const text = Buffer.concat(await stream.toArray()).toString('utf8');
    expect(text).toMatch(/^server,tool,/m);
    expect(text).toMatch(/"sample","echo",5,/);
  });

  it('shows one server alone when asked to', async () => {
    await olga.visit('usage?server=memory');
    await table('Servers').getByRole('link', { name: 'memory' }).waitFor();
    expect(await table('Servers').locator('tbody tr').count()).toBe(1);
    expect(await table('Tools').innerText()).not.toContain('echo');
  });
});
