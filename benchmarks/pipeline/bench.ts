/**
 * What does the pipeline carry, what does it cost, and how much does it keep? Prints tables and keeps the figures as
 * NDJSON in `results/`. The collector must be built (`npm run build:collector`). Ends by itself.
 *
 *   npm run bench:pipeline [-- --backlog 4000] [-- --calls 1000000] [-- --only drain|storage]
 */
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { COLLECTOR } from '../../gateway/test/stack/collector-binary.ts';
import { measureDrain } from './drain.ts';
import { measureStorage } from './storage.ts';

const { values } = parseArgs({
  options: {
    backlog: { type: 'string', default: '4000' },
    calls: { type: 'string', default: '1000000' },
    only: { type: 'string' },
  },
});
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const results = join(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
const file = join(results, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.ndjson`);
const keep = (what: object): void => appendFileSync(file, `${JSON.stringify({ ...what, load: loadavg()[0] })}\n`);

print(
  `Machine: ${cpus()[0]?.model ?? ''}, ${cpus().length} cores, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}.`
);
if (values.only !== 'storage') {
  if (!existsSync(COLLECTOR)) throw new Error('The collector is not built: npm run build:collector');
  print('');
  print(
    '| phase | calls | records | s | records/s | calls/s | CPU µs a call: gateway | collector | store | peak MB: gateway | collector | store |'
  );
  print('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const one of await measureDrain(Number(values.backlog), tell)) {
    keep(one);
    const { cpuMicrosACall: cpu, peakMegabytes: peak, seconds } = one;
    const cells = [
      one.phase,
      one.calls,
      one.records,
      seconds.toFixed(1),
      (one.records / seconds).toFixed(0),
      (one.calls / seconds).toFixed(0),
      ...[cpu.gateway, cpu.collector, cpu.store, peak.gateway, peak.collector, peak.store].map((value) =>
        value.toFixed(0)
      ),
    ];
    print(`| ${cells.join(' | ')} |`);
  }
}
if (values.only !== 'drain') {
  const storage = await measureStorage(Number(values.calls), tell);
  keep(storage);
  const table = (head: string, cells: Iterable<readonly [string, number]>): void => {
    print('');
    print(`| ${head} | bytes a call |`);
    print('| --- | --- |');
    for (const [name, bytes] of cells) print(`| ${name} | ${bytes.toFixed(1)} |`);
  };
  const kept = Object.values(storage.tables).reduce((sum, bytes) => sum + bytes, 0);
  const envelopes = storage.tables['mcp_protected.payload_events'] ?? 0;
  table(`table (${storage.calls} calls)`, [
    ...Object.entries(storage.tables),
    ['all that is kept beyond three days, without ciphertext', kept],
    ['… and without what payload events have besides it', kept - envelopes],
  ]);
  table('largest columns', storage.columns);
  table('tried', Object.entries(storage.tried));
}
