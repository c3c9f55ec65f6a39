/** The Configuration page and saved views in Chromium: what is changed there holds at the audit API at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../gateway/test/e2e/until.ts';
import { withoutChromium } from './chromium.ts';
import { World } from './world.ts';

describe.skipIf(withoutChromium())('the Configuration page', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
    await world.call('ana', 'echo', { text: 'x' });
    await world.call('bob', 'echo', { text: 'x' }, 'memory');
    await world.settled();
  });
  afterAll(() => world.close());

  it('never gives out the secret, and says so when the one that is saved is wrong', async () => {
    const olga = await world.user('olga');
    await olga.visitConfiguration();
    await olga.page.getByText('Grafana’s signing keys can be read.').waitFor();
    expect(await olga.page.locator('#config-route-secret').inputValue()).not.toMatch(/[0-9a-f]{32}/);
    const settings = await olga.page.evaluate(async () =>
      JSON.stringify(await (await fetch('/api/plugins/gatelens-mcpaudit-app/settings')).json())
    );
    expect(settings).toContain('"routeSecret":true');
    const save = async (secret: string) => {
      await olga.page.getByRole('button', { name: 'Reset' }).click();
      await olga.page.locator('#config-route-secret').fill(secret);
      await olga.page.getByRole('button', { name: 'Save', exact: true }).click();
    };
    await save('another-secret-of-length');
    await olga.page.getByText('This token is not known', { exact: false }).first().waitFor();
    await save(world.routeSecret);
    await olga.page.getByText('Grafana’s signing keys can be read.').waitFor();
  });

  it('makes a team Auditors of one server, which its members are from then on', async () => {
    const [olga, ana] = [await world.user('olga'), await world.user('ana')];
    await ana.visit('audit-logs?tool=echo');
    await ana.rows.first().click();
    await ana.drawer.waitFor();
    await ana.tab('Request');
    await ana.drawer.getByTestId('closed-payload').waitFor();
    await olga.visitConfiguration();
    await olga.page.locator('#add-auditor-team').click();
    await olga.page.getByRole('option', { name: 'Platform' }).click();
    await olga.page.getByText('3 people in Platform can open payloads of all servers.').waitFor();
    await olga.page.getByRole('button', { name: 'Save roles' }).click();
    await olga.page.getByText('Changed by olga@example.com', { exact: false }).waitFor();
    await ana.load('audit-logs?tool=echo&server=sample');
    await ana.rows.first().click();
    await ana.drawer.waitFor();
    await ana.tab('Request');
    await ana.drawer.getByText('Opening recorded').waitFor();
    await olga.visit('access-log?action=roles.change');
    await until(async () => {
      await olga.page.getByTestId('data-testid RefreshPicker run button').click();
      await olga.settled();
      return (await olga.page.locator('main').innerText()).includes('changed who is Auditor');
    }, 'the change in the access log');
  });

  it('lets nobody make themselves an Auditor, and says who has to do it', async () => {
    const marc = await world.user('marc');
    await marc.visitConfiguration();
    await marc.page.getByRole('button', { name: 'Remove Security Audit' }).click();
    await marc.page.getByRole('button', { name: 'Save roles' }).click();
    await marc.page.getByText('Changed by marc@example.com', { exact: false }).waitFor();
    await marc.page.locator('#add-auditor-team').click();
    await marc.page.getByRole('option', { name: 'Security Audit' }).click();
    await marc.page.getByRole('button', { name: 'Save roles' }).click();
    await marc.page.getByText('This would make you an Auditor', { exact: false }).waitFor();
  });

  it('is not for viewers', async () => {
    const ana = await world.user('ana');
    await ana.visit('usage');
    expect(await ana.page.getByRole('link', { name: 'Configuration' }).count()).toBe(0);
  });

  it('a view is saved under a name, comes back in another browser, and can be removed', async () => {
    const olga = await world.user('olga');
    await olga.visit('audit-logs?server=memory&columns=time,status');
    await olga.page.getByRole('button', { name: 'Saved views' }).click();
    await olga.page.getByLabel('Name of the view').fill('memory <b>only</b>');
    await olga.page.getByRole('button', { name: 'Save', exact: true }).click();
    await olga.page.getByRole('link', { name: 'memory <b>only</b>' }).waitFor();
    const again = await world.user('olga');
    await again.visit('audit-logs');
    await again.page.getByRole('button', { name: 'Saved views' }).click();
    await again.page.getByRole('link', { name: 'memory <b>only</b>' }).click();
    await until(() => again.search().get('server') === 'memory', 'the saved filter');
    const marc = await world.user('marc');
    await marc.visit('audit-logs');
    await marc.page.getByRole('button', { name: 'Saved views' }).click();
    await marc.page.getByText('No view is saved for this page yet.').waitFor();
    await olga.page.getByRole('button', { name: 'Remove the view memory <b>only</b>' }).click();
    await olga.page.getByText('No view is saved for this page yet.').waitFor();
  });

  // last, since the gateway reports every 15 seconds and people are counted every 30
  it('tests each link of the chain with a plain answer, and tells health and retention', async () => {
    const olga = await world.user('olga');
    await olga.visitConfiguration();
    const main = olga.page.locator('main');
    await until(
      async () => {
        await olga.page.getByRole('button', { name: 'Test again' }).click();
        await olga.settled();
        const shown = await main.innerText();
        return shown.includes('Records are kept and arrive.') && /[1-9] people who called/.test(shown);
      },
      'the first report of the gateway, and the first count of people',
      60_000
    );
    const shown = await main.innerText();
    expect(shown).toContain('Grafana’s signing keys can be read.');
    expect(shown).toContain('6 users and 3 teams are known.');
    expect(shown).toContain('3 people in Platform can open payloads of all servers.');
    expect(shown).toMatch(/1 of 2 people who called/);
    expect(await main.getByRole('row', { name: /^gateway / }).count()).toBe(1);
    expect(shown).toContain('Payloads: 90 days');
    expect(await olga.page.locator('[title=failed]').count()).toBe(0);
    expect(olga.troubles).toEqual([]);
  });
});
