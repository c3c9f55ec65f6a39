/**
 * Records of every shape through the real collector and through the embedded writer: the same rows in every table,
 * column by column. And the exporter still asks what was recorded of it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../e2e/until.ts';
import { logsBytes, send, tracesBytes } from '../store/otlp-bytes.ts';
import { type TestStore, startTestStore } from '../store/test-store.ts';
import { isCollectorBuilt } from './collector-binary.ts';
import { exporterRequest, kindOf, readRecording } from './exporter-requests.ts';
import { type StoredTables, eventShapes, spanShapes, storedTables } from './record-shapes.ts';
import { type Stack, createStack } from './stack-under-test.ts';

const spans = [...spanShapes(true).values()];
const events = [...eventShapes(true).values()];

describe.skipIf(!isCollectorBuilt())('what the collector stores', () => {
  let stack: Stack;
  let byWriter: TestStore;
  beforeAll(async () => {
    [stack, byWriter] = await Promise.all([createStack(), startTestStore({ migrated: true })]);
    await stack.collector.start();
  });
  afterAll(() => Promise.all([stack.stop(), byWriter.stop()]));

  it(`is what the embedded writer stores, for ${spans.length} spans and ${events.length} events`, async () => {
    expect(spans.length).toBeGreaterThanOrEqual(50);
    const { metadata, payloads } = byWriter.store.otlp;
    const sent = [
      await send(metadata, 'traces', tracesBytes(spans)),
      await send(payloads, 'logs', logsBytes(events)),
      await send(stack.collector.target('metadata'), 'traces', tracesBytes(spans)),
      await send(stack.collector.target('payloads'), 'logs', logsBytes(events)),
    ];
    expect(sent.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    // the collector's own reports are no records of a shape
    const rows = (query: string, from: TestStore) =>
      from.rows<Record<string, unknown>>(
        query.replace('FROM mcp.health FINAL', `FROM mcp.health FINAL WHERE component != 'collector'`)
      );
    const expected = await storedTables((query) => rows(query, byWriter));
    const sizes = (tables: StoredTables): string => JSON.stringify(Object.values(tables).map((table) => table.length));
    // a row is seen before those that are made from it
    const stored = await until(
      async () => {
        const now = await storedTables((query) => rows(query, stack.test));
        return sizes(now) === sizes(expected) && now;
      },
      'everything is stored',
      60_000
    );
    expect(stored).toEqual(expected);
    for (const table of Object.values(stored)) expect(table.length).toBeGreaterThan(0);
  });

  it('is asked for as in the recording that the other tests replay', () => {
    const kinds = (requests: readonly Parameters<typeof kindOf>[0][]): string[] =>
      [...new Set(requests.map(kindOf))].filter((kind) => kind.includes('deduplicate_blocks')).sort();
    expect(kinds(stack.tap.requests.map(exporterRequest))).toEqual(kinds(readRecording().requests.none));
    expect(stack.tap.requests[0]?.headers['user-agent']).toContain('clickhouse-go/');
  });

  it('includes its own figures, as the health of a component', async () => {
    const [latest] = await until(
      async () => {
        const rows = await stack.test.rows<Record<string, string>>(
          `SELECT seen, recorded, shipped, lost, spool_bytes FROM mcp.health FINAL
         WHERE component = 'collector' AND chain_id = 'collector' ORDER BY at DESC LIMIT 1`
        );
        return Number(rows[0]?.shipped) === spans.length + events.length && rows;
      },
      'the collector reports what it inserted',
      60_000
    );
    const all = String(spans.length + events.length);
    expect(latest).toEqual({ seen: all, recorded: all, shipped: all, lost: '0', spool_bytes: '0' });
  });
});
