/**
 * Takes pictures of each page in each role, theme, width and state, to be looked at: `npm run screenshots`. Everything is
 * real but Grafana: `gatelens demo` fills a store, `gatelens serve` answers, Chromium draws. Loading and failing are
 * played by holding or refusing the answers of the audit API.
 *
 *   npm run screenshots [-- --only usage] [-- --theme dark] [-- --width 1280] [-- --docs]
 *
 * `--docs` renews the pictures of README and docs only.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../browser/chromium.ts';
import { connectGatelens } from '../browser/connected-gatelens.ts';
import { GrafanaUser } from '../browser/grafana-user.ts';
import { saveSchedule } from './steps.ts';
import { VIEWS, type ApiState, type View } from './views.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    theme: { type: 'string' },
    width: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
});
const ROOT = path.join(import.meta.dirname, '..', '..', '..');
const OUT = values.docs ? path.join(ROOT, 'docs', 'images') : path.join(ROOT, 'grafana-plugin', 'screenshots');
const THEMES = (['dark', 'light'] as const).filter((theme) =>
  values.docs ? theme === 'dark' : (values.theme ?? theme) === theme
);
const WIDTHS = ([1280, 1920] as const).filter((width) =>
  values.docs ? width === 1280 : (values.width ?? String(width)) === String(width)
);
const DAYS = '7';
const PATIENCE_MS = 60_000;

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

async function takeAll(browser: Browser, url: string): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  const views = VIEWS.filter(
    ({ name, docs }) => name.includes(values.only ?? '') && (!values.docs || docs !== undefined)
  );
  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      for (const login of new Set(views.flatMap(({ logins }) => (values.docs ? logins.slice(-1) : logins)))) {
        const user = await GrafanaUser.open(browser, url, login, { theme, width });
        user.page.setDefaultTimeout(PATIENCE_MS);
        for (const view of views.filter(({ logins }) =>
          values.docs ? logins.at(-1) === login : logins.includes(login)
        )) {
          const name = values.docs ? view.docs : [view.name, login, theme, width].join('-');
          await take(user, view, path.join(OUT, `${name}.png`)).catch((error: unknown) => {
            tell(`${name}: ${error instanceof Error ? error.message : String(error)}`);
            process.exitCode = 1;
          });
        }
        if (user.troubles.length > 0) tell(`${login}: ${user.troubles.join('\n')}`);
        await user.close();
      }
    }
  }
}

/** Once, by hand as everybody does: pictures of Exports have one schedule. */
async function schedule(browser: Browser, url: string): Promise<void> {
  const user = await GrafanaUser.open(browser, url, 'marc', {});
  await saveSchedule(user);
  await user.close();
}

async function take(user: GrafanaUser, view: View, file: string): Promise<void> {
  const { page } = user;
  await play(page, view.api ?? 'filled');
  const isHeld = view.api === 'loading';
  const address =
    view.path === 'configuration' ? '/plugins/gatelens-mcpaudit-app' : `/a/gatelens-mcpaudit-app/${view.path}`;
  await page.goto(address);
  await page.locator('main h1').first().waitFor();
  if (view.path === 'configuration') await page.locator('main h2').first().waitFor();
  if (isHeld) await page.waitForTimeout(1500);
  else await user.settled();
  if (view.tab !== undefined) {
    await user.rows.first().click();
    await user.drawer.waitFor();
    await user.tab(view.tab);
  }
  if (view.open !== undefined) {
    await view.open(user);
    await user.settled();
  }
  await page.mouse.move(0, 0);
  await page.screenshot({
    path: file,
    animations: 'disabled',
    fullPage: view.tab === undefined && view.open === undefined,
  });
  tell(path.relative(ROOT, file));
}

/** Lets the audit API answer, or has nothing, or holds its answers, or refuses for it as Grafana's proxy does when nobody is there. */
async function play(page: Page, state: ApiState): Promise<void> {
  const pattern = '**/api/plugin-proxy/**';
  await page.unrouteAll();
  if (state === 'loading') await page.route(pattern, () => undefined);
  if (state === 'empty') await page.route('**/exports/schedules', (route) => route.fulfill({ json: { items: [] } }));
  if (state === 'error') {
    await page.route(pattern, (route) => route.fulfill({ status: 502, json: { message: 'Failed to call resource' } }));
  }
}

const exported = mkdtempSync(path.join(tmpdir(), 'gatelens-screenshots-'));
const connected = await connectGatelens({
  mcpServers: {},
  exports: { destinations: [{ name: 'archive', directory: exported }] },
});
try {
  tell(`Filling a store with ${DAYS} days of the demo …`);
  const filled = await connected.gatelens.run('demo', '--history', '--days', DAYS, '--exit');
  if (filled.code !== 0) throw new Error(`the demo did not fill it: ${filled.err}`);
  await connected.start();
  const browser = await launchChromium();
  try {
    await schedule(browser, connected.preview.url);
    await takeAll(browser, connected.preview.url);
  } finally {
    await browser.close();
  }
} finally {
  await connected.close();
  rmSync(exported, { recursive: true, force: true });
}
