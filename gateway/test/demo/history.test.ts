/** The made-up past on a real spool: written once, stamped, by past clocks, and sent to nobody else. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig, type GatelensConfig } from '../../src/config.ts';
import { addHistory, type AddHistoryOptions } from '../../src/demo/history/add-history.ts';
import { planDay } from '../../src/demo/history/plan-day.ts';
import { silentLogger } from '../../src/logger.ts';

const NOW = new Date('2026-11-24T09:00:00Z');
let dataDir: string;
let mirror: Server;
let mirrored: number;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'gatelens-history-'));
  mirrored = 0;
  mirror = createServer((_req, res) => {
    mirrored += 1;
    res.end();
  });
  await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await new Promise((resolve) => mirror.close(resolve));
  rmSync(dataDir, { recursive: true, force: true });
});

function config(more: Record<string, unknown> = {}): GatelensConfig {
  const url = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
  const input = { mcpServers: {}, dataDir, otlp: { mirrors: [{ name: 'other', url }] }, ...more };
  return parseConfig(input, { source: 'test', env: {}, baseDir: dataDir }).config;
}

function add(more: Partial<AddHistoryOptions> = {}) {
  return addHistory({
    config: config(),
    days: 2,
    now: NOW,
    logger: silentLogger,
    version: '0.0.0',
    onDay: () => undefined,
    stopped: () => false,
    ...more,
  });
}

const planned = (...days: string[]) => days.flatMap((day) => planDay(day));
const requestsOf = (...days: string[]) => planned(...days).filter(({ kind }) => kind === 'request').length;

describe('the history', () => {
  it('writes each day once, whatever is asked for later', async () => {
    const days: string[] = [];
    const first = await add({ onDay: (day) => days.push(day) });
    expect(days).toEqual(['2026-11-22', '2026-11-23']);
    expect(first).toMatchObject({
      fromDay: '2026-11-22',
      toDay: '2026-11-23',
      rowsAdded: planned(...days).length,
      requests: requestsOf(...days),
    });
    expect(statSync(join(dataDir, 'demo-history.json')).mode & 0o777).toBe(0o600);
    const more = await add({ days: 3 });
    expect(more.rowsAdded).toBe(planned('2026-11-21').length);
    expect(more.requests).toBe(requestsOf('2026-11-21', ...days));
    expect(mirrored).toBe(0);
  });

  it('stops between two days when asked to, and goes on next time', async () => {
    let days = 0;
    const some = await add({ onDay: () => (days += 1), stopped: () => days === 1 });
    expect(some.rowsAdded).toBe(planned('2026-11-22').length);
    expect((await add()).rowsAdded).toBe(planned('2026-11-23').length);
  });

  it('is refused where records cannot be kept, and that day counts as missing', async () => {
    await expect(add({ config: config({ spool: { maxBytes: '1MiB' } }), days: 7 })).rejects.toMatchObject({
      code: 'audit_unavailable',
    });
    // what was kept is kept, and whole days are not written again
    expect((await add({ days: 7 })).rowsAdded).toBeGreaterThan(0);
  });

  it('does not guess what a damaged list of days said', async () => {
    writeFileSync(join(dataDir, 'demo-history.json'), '{"version":1,"days":["yesterday"]}');
    await expect(add()).rejects.toMatchObject({ code: 'data_dir_unusable' });
  });
});
