/**
 * How fast are the pages with a million calls stored? Fills a store of its own, then measures the audit API. Prints a
 * table and keeps every cell as NDJSON. Ends by itself, and takes its data directory with it.
 *
 *   npm run bench:ui [-- --calls 1000000] [-- --rounds 7] [-- --only facets] [-- --data DIR]
 *
 * `--data` keeps the filled store there and takes it again the next time: to compare two versions of a query. `--only
 * browser` leaves the API's half out, `--only api` the browser's. The browser's half comes after it, in a process of its own that takes the
 * data directory once the store here is closed; it needs Chromium and the built pages (`npm run build:plugin`).
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ApiCell, apiTable, measureApi } from './api.ts';
import { fillStore } from './fill.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string' },
    data: { type: 'string' },
  },
});
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const load = (): number => loadavg()[0] ?? 0;

const results = join(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
const file = join(results, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.ndjson`);
const keep = (what: object): void => appendFileSync(file, `${JSON.stringify(what)}\n`);

const dataDir = values.data ?? mkdtempSync(join(tmpdir(), 'gatelens-bench-'));
mkdirSync(dataDir, { recursive: true });
try {
  const filled = await fillStore({ dataDir, calls: Number(values.calls), nowMs: Date.now(), tell });
  const machine = `${cpus()[0]?.model ?? ''}, ${cpus().length} cores, Node ${process.version}`;
  const about = `${filled.calls} calls over 30 days, filled in ${(filled.fillMs / 1000).toFixed(0)} s. Machine: ${machine}.`;
  keep({ about, load: load() });
  const cells: ApiCell[] = [];
  try {
    if (values.only !== 'browser')
      await measureApi(filled, {
        rounds: Number(values.rounds),
        load,
        tell,
        ...(values.only === undefined || values.only === 'api' ? {} : { only: values.only }),
        onCell: (cell) => {
          cells.push(cell);
          keep(cell);
          tell(`${cell.question}, ${cell.role}, ${cell.range}: ${cell.ms.map((ms) => ms.toFixed(0)).join(' ')} ms`);
        },
      });
  } finally {
    await filled.close();
  }
  const pages = values.only === undefined || values.only === 'browser' ? measurePages() : [];
  const loads = [...cells, ...pages].map((cell) => cell.load);
  const between = `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  process.stdout.write(
    `${[about, `Load of the machine meanwhile: ${between}.`, '', ...apiTable(cells), '', ...(pages.length === 0 ? [] : pageTable(pages))].join('\n')}\n`
  );
} finally {
  if (values.data === undefined) rmSync(dataDir, { recursive: true, force: true });
}

interface PageFigure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly aim: string;
  readonly load: number;
}

function measurePages(): readonly PageFigure[] {
  tell('Opening the pages in Chromium …');
  const script = join(import.meta.dirname, '..', '..', 'grafana-plugin', 'test', 'bench', 'pages.ts');
  const done = spawnSync(process.execPath, [script, dataDir], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (done.status !== 0) {
    process.exitCode = 1;
    tell('The browser’s half did not come to its end; see above.');
  }
  const lines = done.stdout.split('\n').filter((line) => line !== '');
  const figures = lines.map((line) => JSON.parse(line) as PageFigure);
  figures.forEach(keep);
  return figures;
}

function pageTable(figures: readonly PageFigure[]): string[] {
  return [
    '| pages, in Chromium | figure | aim |',
    '| --- | --: | --: |',
    ...figures.map(({ figure, value, unit, aim }) => `| ${figure} | ${value} ${unit} | ${aim} |`),
  ];
}
