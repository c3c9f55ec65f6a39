/**
 * The browser's half of `npm run bench:ui`: opens the built pages in Chromium on a data directory that is filled already,
 * and writes one JSON line a figure. Takes the directory for itself; run by benchmarks/ui/bench.ts.
 */
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { launchChromium } from '../browser/chromium.ts';
import { connectGatelens } from '../browser/connected-gatelens.ts';
import { GrafanaUser } from '../browser/grafana-user.ts';
import { longest, tasksOf, type Task } from './main-thread.ts';
import { measurePayload } from './payload.ts';

const [dataDir = ''] = process.argv.slice(2);
const DIST = path.join(import.meta.dirname, '..', '..', 'dist');
const ROUNDS = 5;
const SCROLLED_ROWS = 10_000;
const LONG_TASK_MS = 50;
const WEEK = 'audit-logs?from=now-7d&to=now';

function keep(figure: string, value: number, unit: string, aim: string): void {
  const rounded = Math.round(value * 10) / 10;
  process.stdout.write(`${JSON.stringify({ figure, value: rounded, unit, aim, load: loadavg()[0] ?? 0 })}\n`);
}

/** From the click in the navigation until rows are drawn, with nothing of this range in memory. */
async function firstRowsMs(user: GrafanaUser, round: number): Promise<number> {
  await user.visit('usage?from=now-5m&to=now');
  return user.page.evaluate(async (to) => {
    const started = performance.now();
    window.history.pushState(null, '', to);
    window.dispatchEvent(new PopStateEvent('popstate'));
    while (document.querySelectorAll('[data-testid=call-table] [role=row][aria-selected]').length === 0) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    return performance.now() - started;
  }, `/a/gatelens-mcpaudit-app/${WEEK}&bench=${round}`);
}

interface Scrolled {
  readonly rows: number;
  readonly mostNodes: number;
}

async function scroll(user: GrafanaUser): Promise<Scrolled> {
  return user.page.evaluate(async (wanted) => {
    const table = document.querySelector<HTMLElement>('[data-testid=call-table]');
    if (table === null) throw new Error('no table');
    let [mostNodes, rows] = [0, 0];
    while (rows < wanted) {
      table.scrollTop += 600;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const drawn = table.querySelectorAll<HTMLElement>('[role=row][aria-selected]');
      mostNodes = Math.max(mostNodes, drawn.length);
      rows = Math.max(rows, ...[...drawn].map((row) => Number(row.getAttribute('aria-rowindex'))));
    }
    return { rows, mostNodes };
  }, SCROLLED_ROWS);
}

/** Everything that Grafana would have to load of the plugin, all pages together. */
function gzippedKb(): number {
  const scripts = readdirSync(DIST).filter((name) => name.endsWith('.js'));
  return scripts.reduce((sum, name) => sum + gzipSync(readFileSync(path.join(DIST, name))).length, 0) / 1000;
}

keep('plugin code of all pages, gzipped', gzippedKb(), 'kB', '< 400');
const connected = await connectGatelens({ mcpServers: {} });
try {
  renameSync(dataDir, connected.gatelens.dataDir);
  await connected.start();
  const browser = await launchChromium();
  try {
    const user = await GrafanaUser.open(browser, connected.preview.url, 'olga', {});
    user.page.setDefaultTimeout(60_000);
    await user.visit(WEEK);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) times.push(await firstRowsMs(user, round));
    times.sort((a, b) => a - b);
    keep('first rows of a week, from the click, median', times[Math.floor(ROUNDS / 2)] ?? Number.NaN, 'ms', '< 1000');
    keep('first rows of a week, from the click, slowest', times.at(-1) ?? Number.NaN, 'ms', '< 1000');
    await user.visit(WEEK);
    await user.rows.first().waitFor();
    let scrolled: Scrolled = { rows: 0, mostNodes: 0 };
    const tasks = await tasksOf(browser, user.page, async () => {
      scrolled = await scroll(user);
    });
    keep(`rows in the document while ${scrolled.rows} are scrolled through, most`, scrolled.mostNodes, 'rows', '≤ 80');
    const over = (by: keyof Task): number => tasks.filter((task) => task[by] > LONG_TASK_MS).length;
    keep('tasks over 50 ms while scrolling, by the clock', over('wallMs'), 'tasks', '0');
    keep('tasks over 50 ms while scrolling, in processor time', over('cpuMs'), 'tasks', '0');
    keep('longest task while scrolling, by the clock', longest(tasks, 'wallMs'), 'ms', '≤ 50');
    keep('longest task while scrolling, in processor time', longest(tasks, 'cpuMs'), 'ms', '≤ 50');
    for (const trouble of user.troubles) process.stderr.write(`${trouble}\n`);
  } finally {
    await browser.close();
  }
} finally {
  await connected.close();
}
for (const { step, wallMs, cpuMs } of await measurePayload()) {
  keep(`payload of 5 MB ${step}: longest task, by the clock`, wallMs, 'ms', '–');
  keep(`payload of 5 MB ${step}: longest task, in processor time`, cpuMs, 'ms', '–');
}
