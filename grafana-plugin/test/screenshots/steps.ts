/** What somebody does on a page before its picture is taken: opens a drawer, fills a form, waits for what is in it. */
import type { GrafanaUser } from '../browser/grafana-user.ts';

const SLOW_MS = 60_000;
const SCHEDULE = 'Nightly archive';

export async function openExport(user: GrafanaUser): Promise<void> {
  await user.page.getByRole('button', { name: 'Export' }).click();
  await user.drawer.getByTestId('export-estimate').getByText('before compression').waitFor();
}

export async function searchPayloads(user: GrafanaUser): Promise<void> {
  await user.page.getByRole('button', { name: 'Payloads' }).click();
  await user.drawer.getByRole('textbox', { name: /^Text/ }).fill('welcome');
  await user.page.keyboard.press('Enter');
  await user.drawer.getByTestId('payload-search-status').getByText('looked at').waitFor({ timeout: SLOW_MS });
  await user.drawer.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached', timeout: SLOW_MS });
}

export async function newSchedule(user: GrafanaUser): Promise<void> {
  await user.page.getByRole('button', { name: 'New schedule' }).click();
  await user.drawer.getByRole('textbox', { name: 'Name', exact: true }).fill(SCHEDULE);
  await user.drawer.getByTestId('schedule-estimate').getByText('row').waitFor();
}

export async function scheduleWhere(user: GrafanaUser): Promise<void> {
  await newSchedule(user);
  await user.drawer.getByRole('button', { name: 'Next: Where' }).click();
  await user.drawer.getByRole('combobox', { name: 'Destination' }).click();
  await user.page.getByRole('option', { name: 'archive' }).click();
  await user.drawer.getByRole('button', { name: 'Test the destination' }).click();
  await user.drawer.getByText('A small file was written, read back and removed').waitFor();
}

export async function scheduleWhen(user: GrafanaUser): Promise<void> {
  await scheduleWhere(user);
  await user.drawer.getByRole('button', { name: 'Next: When' }).click();
  await user.choose('7 days');
  await user.drawer.getByTestId('schedule-in-words').waitFor();
}

/** Makes the one that the pictures show, and waits for its first run. */
export async function saveSchedule(user: GrafanaUser): Promise<void> {
  await user.visit('exports');
  await scheduleWhen(user);
  await user.drawer.getByRole('button', { name: 'Save' }).click();
  await user.page
    .getByTestId('schedule-table')
    .getByText(/^done:/)
    .waitFor({ timeout: SLOW_MS });
}

export async function openSchedule(user: GrafanaUser): Promise<void> {
  await user.page.getByTestId('schedule-table').getByRole('button', { name: SCHEDULE }).click();
  await user.drawer.getByRole('button', { name: 'Show' }).first().click();
  await user.drawer.getByTestId('run-manifest').waitFor();
}

/** Makes a file at once, and opens its manifest among the others. */
export async function openOneOff(user: GrafanaUser): Promise<void> {
  await user.visit('audit-logs?server=filesystem');
  await openExport(user);
  const download = user.page.waitForEvent('download', { timeout: SLOW_MS });
  await user.drawer.getByRole('button', { name: 'Download' }).click();
  await (await download).delete();
  await user.load('exports');
  const done = user.page.getByTestId('now-table').getByRole('row').filter({ hasText: 'done' }).first();
  await done.getByRole('button', { name: 'Show' }).click();
  await user.page.getByTestId('run-manifest').waitFor();
}
