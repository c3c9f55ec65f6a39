/** An Admin in a real Grafana. Not run here; see README.md. */
import { expect, test } from '@grafana/plugin-e2e';
import { PLUGIN_ID } from '../src/constants.ts';

test('configuration: every link of the chain holds', async ({ gotoAppConfigPage, page }) => {
  await gotoAppConfigPage({ pluginId: PLUGIN_ID });
  await expect(page.getByText('Grafana’s signing keys can be read.')).toBeVisible();
  await expect(page.getByText(/\d+ users and \d+ teams are known\./)).toBeVisible();
  await expect(page.locator('[title=failed]')).toHaveCount(0);
});

test('configuration: a wrong secret is said to be wrong, and the right one can be put back', async ({
  gotoAppConfigPage,
  page,
}) => {
  const secret = process.env.GATELENS_ROUTE_SECRET;
  test.skip(secret === undefined, 'GATELENS_ROUTE_SECRET is not set');
  const config = await gotoAppConfigPage({ pluginId: PLUGIN_ID });
  const save = async (text: string) => {
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.locator('#config-route-secret').fill(text);
    const saved = config.waitForSettingsResponse();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await saved;
  };
  await save('a-secret-that-is-wrong');
  await expect(page.getByText('This token is not known', { exact: false }).first()).toBeVisible();
  await save(secret ?? '');
  await expect(page.getByText('Grafana’s signing keys can be read.')).toBeVisible();
});

test('audit log: shows calls of everybody, and keeps payloads closed', async ({ gotoAppPage, page }) => {
  await gotoAppPage({ pluginId: PLUGIN_ID, path: '/audit-logs' });
  const row = page.getByTestId('call-table').locator('[role=rowgroup]').nth(1).locator('[role=row]').first();
  await row.click();
  await page.getByRole('dialog').getByRole('tab', { name: 'Request', exact: true }).click();
  await expect(page.getByTestId('closed-payload')).toContainText('Only Auditors can open it');
});

test('usage, sessions, exports and access log open', async ({ gotoAppPage, page }) => {
  for (const [path, title] of [
    ['/usage', 'Usage'],
    ['/sessions', 'Sessions'],
    ['/exports', 'Exports'],
    ['/access-log', 'Access Log'],
  ] as const) {
    await gotoAppPage({ pluginId: PLUGIN_ID, path });
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
    await expect(page.getByRole('alert')).toHaveCount(0);
  }
});
