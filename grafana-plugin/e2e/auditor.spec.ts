/** A Viewer in the team Security Audit, in a real Grafana. Not run here; see README.md. */
import { expect, test } from '@grafana/plugin-e2e';
import { PLUGIN_ID } from '../src/constants.ts';

test('a payload opens, and the opening is in the access log', async ({ gotoAppPage, page }) => {
  await gotoAppPage({ pluginId: PLUGIN_ID, path: '/audit-logs?operation=tools%2Fcall' });
  const row = page.getByTestId('call-table').locator('[role=rowgroup]').nth(1).locator('[role=row]').first();
  await row.click();
  await page.getByRole('dialog').getByRole('tab', { name: 'Request', exact: true }).click();
  await expect(page.getByRole('dialog').getByText('Opening recorded')).toBeVisible();
  await gotoAppPage({ pluginId: PLUGIN_ID, path: '/access-log?action=payload.read' });
  await expect(page.getByRole('cell', { name: 'opened a payload' }).first()).toBeVisible();
});
