/**
 * Exports in Chromium: the file is what was filtered, payloads are in it for Auditors and nowhere else, and whoever may
 * not export reads why. The marker stands in what was sent.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_BASE } from '../../src/constants.ts';
import { withoutChromium } from './chromium.ts';
import type { GrafanaUser } from './grafana-user.ts';
import { World } from './world.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const marker = `marker-${randomBytes(8).toString('hex')}`;

interface Row {
  readonly server: string;
  readonly tool: string | null;
}

describe.skipIf(withoutChromium())('exports', () => {
  let world: World;
  const directory = mkdtempSync(join(tmpdir(), 'gatelens-pages-'));
  beforeAll(async () => {
    world = await World.start({ exports: { destinations: [{ name: 'archive', directory }] } });
    await world.call('ana', 'echo', { text: marker });
    await world.call('bob', 'echo', { text: marker }, 'memory');
    await world.settled();
  });
  afterAll(async () => {
    await world.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function openExport(user: GrafanaUser, address = 'audit-logs?tool=echo&server=sample'): Promise<void> {
    await user.visit(address);
    await user.page.getByRole('button', { name: 'Export' }).click();
    await user.drawer.getByTestId('export-estimate').getByText('before compression').waitFor();
  }

  /** @returns rows of the file that the browser saved */
  async function downloaded(user: GrafanaUser): Promise<{ readonly text: string; readonly rows: readonly Row[] }> {
    const arriving = user.page.waitForEvent('download');
    await user.drawer.getByRole('button', { name: 'Download' }).click();
    const file = await arriving;
    expect(file.suggestedFilename()).toMatch(/^gatelens-calls-\d{8}T\d{6}Z-\d{8}T\d{6}Z\.jsonl$/);
    const text = readFileSync(await file.path(), 'utf8');
    await user.drawer.getByTestId('export-progress').getByText('Done: 1 row').waitFor();
    const rows = text.split('\n').filter((line) => line !== '');
    return { text, rows: rows.map((line) => JSON.parse(line) as Row) };
  }

  it('an Auditor exports what is filtered with payloads, and only the file has them', async () => {
    const vera = await world.user('vera');
    await openExport(vera);
    const what = await vera.drawer.getByTestId('export-what').innerText();
    expect(what).toContain('Server is sample');
    expect(what).toContain('Tool is echo');
    await vera.drawer.getByRole('checkbox', { name: 'With payloads' }).check({ force: true });
    await vera.drawer.getByTestId('export-estimate').getByText('of it payloads').waitFor();
    const { text, rows } = await downloaded(vera);
    expect(rows.map(({ server, tool }) => [server, tool])).toEqual([['sample', 'echo']]);
    expect(text).toContain(marker);
    const elsewhere = [await vera.page.content(), vera.page.url(), await vera.kept(), ...(await vera.answersRead())];
    expect(elsewhere.join('\n')).not.toContain(marker);
    // what fetched the file is no part of an address that is kept
    expect(vera.page.url()).not.toContain('downloads');
    expect(vera.troubles).toEqual([]);
    expect(vera.foreign).toEqual([]);
  });

  it('an Auditor of one server reads of which, and gets payloads of no other', async () => {
    const lin = await world.user('lin');
    await openExport(lin);
    expect(await lin.drawer.getByTestId('export-payloads-about').innerText()).toContain('of memory;');
    await lin.drawer.getByRole('checkbox', { name: 'With payloads' }).check({ force: true });
    await lin.drawer.getByText('1 of 1 rows have no payload that you can open').waitFor();
    expect((await downloaded(lin)).text).not.toContain(marker);
  });

  it('an admin gets metadata only, reads why, and finds the marker nowhere', async () => {
    const olga = await world.user('olga');
    await openExport(olga);
    expect(await olga.drawer.getByRole('checkbox', { name: 'With payloads' }).isDisabled()).toBe(true);
    const why = await olga.drawer.getByTestId('export-payloads-about').innerText();
    expect(why).toContain('Only Auditors export payloads.');
    expect(why).toContain('Security Audit');
    const { text, rows } = await downloaded(olga);
    expect(rows).toHaveLength(1);
    const everywhere = [text, await olga.page.content(), await olga.kept(), ...(await olga.answersRead())];
    expect(everywhere.join('\n')).not.toContain(marker);
  });

  it('a viewer finds it disabled and reads why and who can', async () => {
    const ana = await world.user('ana');
    await ana.visit('audit-logs');
    const button = ana.page.getByRole('button', { name: 'Export' });
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    await button.focus();
    await ana.page.getByText('Only admins and Auditors export. Ask one of them (').waitFor();
    await button.press('Enter');
    expect(await ana.drawer.count()).toBe(0);
    expect((await ana.answersRead()).join('\n')).not.toContain('/exports/downloads/');
  });

  it('says what does not go together, and takes some columns', async () => {
    const olga = await world.user('marc');
    await openExport(olga);
    await olga.drawer.getByRole('button', { name: 'All columns' }).click();
    await olga.drawer.getByRole('button', { name: 'The main ones' }).click();
    await olga.drawer.getByText('9 of').waitFor();
    const { rows } = await downloaded(olga);
    expect(Object.keys(rows[0] ?? {})).toHaveLength(9);
    await olga.drawer.getByRole('button', { name: 'Export again' }).click();
    await olga.choose('Parquet');
    await olga.drawer.getByText('Parquet has metadata only.').waitFor();
    expect(await olga.drawer.getByRole('radio', { name: 'gzip' }).isDisabled()).toBe(true);
  });

  it('goes by keyboard alone, and axe finds nothing serious', async () => {
    const marc = await world.user('marc');
    await marc.visit('audit-logs?tool=echo&server=sample');
    await marc.page.getByRole('button', { name: 'Export' }).focus();
    await marc.page.keyboard.press('Enter');
    await marc.drawer.getByTestId('export-estimate').getByText('before compression').waitFor();
    await marc.drawer.getByRole('button', { name: 'All columns' }).press('Enter');
    await marc.settled();
    expect(await violations(marc.page)).toEqual([]);
    const payloads = marc.drawer.getByRole('checkbox', { name: 'With payloads' });
    await payloads.focus();
    await marc.page.keyboard.press('Space');
    expect(await payloads.isChecked()).toBe(true);
    await marc.page.keyboard.press('Escape');
    await marc.drawer.waitFor({ state: 'detached' });
  });

  it('an Auditor schedules one in three steps, follows it, changes it without showing its secret, and deletes it', async () => {
    const marc = await world.user('marc');
    const field = (name: string) => marc.drawer.getByRole('textbox', { name, exact: true });
    const press = (name: string) => marc.drawer.getByRole('button', { name }).click();
    await marc.visit('exports');
    await marc.page.getByText('No export is scheduled').waitFor();
    await marc.page.getByRole('button', { name: 'New schedule' }).click();
    await marc.drawer.getByText('Give it a name.').waitFor();
    await field('Name').fill('Nightly');
    await marc.drawer.getByTestId('schedule-estimate').getByText('row').waitFor();
    expect(await violations(marc.page)).toEqual([]);
    await press('Next: Where');
    await marc.drawer.getByRole('combobox', { name: 'Destination' }).click();
    await marc.page.getByRole('option', { name: 'archive' }).click();
    await press('Test the destination');
    await marc.drawer.getByText('A small file was written, read back and removed').waitFor();
    await press('Next: When');
    await marc.choose('A day');
    const words = await marc.drawer.getByTestId('schedule-in-words').innerText();
    expect(words).toContain(
      'Every day at 02:00, UTC: All calls (JSONL, gzip), metadata only, to archive. The first goes back a day.'
    );
    expect(await violations(marc.page)).toEqual([]);
    await press('Save');

    const row = marc.page.getByTestId('schedule-table').getByRole('row').filter({ hasText: 'Nightly' });
    await row.getByText(/^done:/).waitFor({ timeout: 60_000 });
    await row.getByRole('button', { name: 'Nightly' }).click();
    await marc.drawer.getByRole('button', { name: 'Show' }).first().click();
    const manifest = marc.drawer.getByTestId('run-manifest');
    await manifest.waitFor();
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
    const command = await manifest.getByText('export verify').innerText();
    expect(files.some((file) => file.endsWith('.manifest.json') && command.includes(file))).toBe(true);
    expect(await manifest.innerText()).toMatch(/SHA-256 [0-9a-f]{64}/);
    expect(await violations(marc.page)).toEqual([]);
    await press('Pause');
    await marc.drawer.getByText('It is paused').waitFor();
    await press('Resume');
    await marc.drawer.getByRole('button', { name: 'Pause' }).waitFor();

    const secret = `secret-${randomBytes(8).toString('hex')}`;
    await press('Change');
    await press('Next: Where');
    await marc.choose('HTTPS');
    await marc.drawer.getByRole('textbox', { name: /^Address/ }).fill('https://siem.example.com/ingest');
    await marc.drawer.getByLabel('Token').fill(secret);
    await press('Next: When');
    await press('Save');
    // back at the schedule as it is now
    await marc.drawer.getByText('to https://siem.example.com/ingest').waitFor();
    await press('Change');
    await press('Next: Where');
    expect(await marc.drawer.getByLabel('Token').inputValue()).toBe('');
    const seen = [await marc.page.content(), await marc.kept(), ...(await marc.answersRead())].join('\n');
    expect(seen).not.toContain(secret);
    await marc.page.keyboard.press('Escape');

    await marc.load('exports');
    await row.getByRole('button', { name: 'Nightly' }).click();
    await press('Delete');
    await marc.page.getByRole('dialog').last().getByRole('button', { name: 'Delete' }).click();
    await marc.page.getByText('No export is scheduled').waitFor();
    expect(marc.troubles).toEqual([]);
  });

  it('what was exported at once is in a history of its own, with who, how far it came and its manifest', async () => {
    const olga = await world.user('olga');
    await openExport(olga);
    await downloaded(olga);
    // an address that no browser fetches, cancelled on the page
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ from: 'now-1d', filters: { server: ['sample'] } });
    const status = await olga.page.evaluate(async ([path, init]) => (await fetch(path, init)).status, [
      `${API_BASE}/exports/downloads`,
      { method: 'POST', headers, body },
    ] as const);
    expect(status).toBe(201);
    await olga.load('exports');
    const rows = olga.page.getByTestId('now-table').getByRole('row');
    const waiting = rows.filter({ hasText: 'waits' }).first();
    await waiting.getByRole('button', { name: 'Cancel' }).click();
    await rows.filter({ hasText: 'cancelled' }).first().getByText('0 rows').waitFor();
    const done = rows.filter({ hasText: 'olga' }).filter({ hasText: 'done' }).first();
    expect(await done.innerText()).toMatch(/Server is sample[\s\S]*1 row/);
    await done.getByRole('button', { name: 'Show' }).click();
    expect(await olga.page.getByTestId('run-manifest').innerText()).toMatch(/SHA-256 [0-9a-f]{64}/);
    expect(await violations(olga.page)).toEqual([]);
  });

  it('a bucket is encrypted and locked as the form says', async () => {
    const marc = await world.user('marc');
    await marc.load('exports');
    await marc.page.getByRole('button', { name: 'New schedule' }).click();
    const field = (name: string) => marc.drawer.getByRole('textbox', { name, exact: true });
    await field('Name').fill('To a bucket');
    await marc.drawer.getByRole('button', { name: 'Next: Where' }).click();
    await marc.choose('S3');
    await marc.drawer.getByRole('textbox', { name: 'Bucket' }).fill('audit');
    await marc.drawer.getByLabel('Access key').fill('key');
    await marc.drawer.getByLabel('Secret key').fill('secret');
    await marc.choose('SSE-KMS');
    await marc.drawer.getByRole('textbox', { name: /^KMS key/ }).fill('key-1');
    await marc.choose('Compliance');
    await marc.drawer.getByText('Say for how many days objects are locked').waitFor();
    await marc.drawer.getByRole('textbox', { name: /^Days locked/ }).fill('365');
    expect(await violations(marc.page)).toEqual([]);
    await marc.drawer.getByRole('button', { name: 'Next: When' }).click();
    await marc.drawer.getByText('Nobody can change or remove an object for 365 days.').waitFor();
    const saved = marc.page.waitForResponse(
      (answer) => answer.request().method() === 'POST' && answer.url().endsWith('/exports/schedules')
    );
    await marc.drawer.getByRole('button', { name: 'Save' }).click();
    expect(await (await saved).json()).toMatchObject({
      destination: {
        sse: 'aws:kms',
        kmsKeyId: 'key-1',
        objectLock: { mode: 'COMPLIANCE', days: 365 },
        credentialsSet: true,
      },
    });
    const row = marc.page.getByTestId('schedule-table').getByRole('row').filter({ hasText: 'To a bucket' });
    await row.getByRole('button', { name: 'To a bucket' }).click();
    await marc.drawer.getByRole('button', { name: 'Delete' }).click();
    await marc.page.getByRole('dialog').last().getByRole('button', { name: 'Delete' }).click();
    await row.waitFor({ state: 'detached' });
  });

  it('a viewer reads on Exports why there is nothing for them', async () => {
    const ana = await world.user('ana');
    await ana.visit('exports');
    await ana.page.getByText('Only admins and auditors export.').waitFor();
    expect(await ana.page.getByTestId('schedule-table').count()).toBe(0);
  });
});

async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  // colours that are still changing are not those that are read
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every(({ playState, effect }) => playState !== 'running' || effect?.getComputedTiming().endTime === Infinity)
  );
  const { violations: found } = await page.evaluate(() => {
    const { axe } = window as unknown as { axe: { run(context: object): Promise<AxeResults> } };
    return axe.run({ include: [['[role=dialog]'], ['main']].filter(([one]) => document.querySelector(one ?? '')) });
  });
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}
