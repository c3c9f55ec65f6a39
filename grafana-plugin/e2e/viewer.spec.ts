/** A Viewer in a real Grafana: own calls at most. Not run here; see README.md. */
import { expect, test } from '@grafana/plugin-e2e';
import { API_BASE, PLUGIN_ID } from '../src/constants.ts';

test('audit log: says whose calls these are, or why there are none', async ({ gotoAppPage, page }) => {
  await gotoAppPage({ pluginId: PLUGIN_ID, path: '/audit-logs' });
  await expect(page.getByText(/These are your own calls\.|You see no calls here/)).toBeVisible();
});

test('access log and settings of others stay closed at the audit API, not only on the page', async ({ page }) => {
  for (const path of ['/settings/roles', '/settings/status']) {
    const answer = await page.request.get(`${API_BASE}${path}`);
    expect(answer.status()).toBe(403);
  }
});

test('headers that a browser makes up change nothing', async ({ page }) => {
  const roles = async (headers: Record<string, string>): Promise<unknown> => {
    const answer = await page.request.get(`${API_BASE}/me`, { headers });
    return ((await answer.json()) as { roles?: unknown }).roles;
  };
  const honest = await roles({});
  expect(await roles({ 'X-Grafana-User': 'admin', 'X-Grafana-Role': 'Admin', 'X-Grafana-Org-Id': '2' })).toEqual(
    honest
  );
  expect(await roles({ 'X-Grafana-Context': '{"UserID":1,"OrgRole":"Admin","Teams":[1]}' })).toEqual(honest);
});
