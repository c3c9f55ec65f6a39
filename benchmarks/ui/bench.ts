/**
 * How fast are the pages with a million calls stored? Fills a store of its own, then measures the audit API. Prints a
 * table and keeps every cell as NDJSON. Ends by itself, and takes its data directory with it.
 *
 *   npm run bench:ui [-- --calls 1000000] [-- --rounds 7] [-- --only facets]
 *
 * The browser's half belongs after the API's: it opens pages on the same data directory, once the store here is closed.
 */
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
  },
});
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const load = (): number => loadavg()[0] ?? 0;

const results = join(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
const file = join(results, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.ndjson`);
const keep = (what: object): void => appendFileSync(file, `${JSON.stringify(what)}\n`);

const dataDir = mkdtempSync(join(tmpdir(), 'gatelens-bench-'));
try {
  const filled = await fillStore({ dataDir, calls: Number(values.calls), nowMs: Date.now(), tell });
  const machine = `${cpus()[0]?.model ?? ''}, ${cpus().length} cores, Node ${process.version}`;
  const about = `${filled.calls} calls over 30 days, filled in ${(filled.fillMs / 1000).toFixed(0)} s. Machine: ${machine}.`;
  keep({ about, load: load() });
  const cells: ApiCell[] = [];
  try {
    await measureApi(filled, {
      rounds: Number(values.rounds),
      load,
      tell,
      ...(values.only === undefined ? {} : { only: values.only }),
      onCell: (cell) => {
        cells.push(cell);
        keep(cell);
        tell(`${cell.question}, ${cell.role}, ${cell.range}: ${cell.ms.map((ms) => ms.toFixed(0)).join(' ')} ms`);
      },
    });
  } finally {
    await filled.close();
  }
  const loads = cells.map((cell) => cell.load);
  const between = `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  process.stdout.write(`${[about, `Load of the machine meanwhile: ${between}.`, '', ...apiTable(cells)].join('\n')}\n`);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
