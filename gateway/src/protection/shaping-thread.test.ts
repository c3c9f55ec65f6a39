import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { shapeBody } from './body-shaping.ts';
import type { BodyToShape } from './body-shaping.ts';
import { createRedaction } from './redaction.ts';
import { createShapingThread } from './shaping-thread.ts';

const MARK = 'Zq7hunter2Xw';

function largeBody(more: Partial<BodyToShape> = {}): BodyToShape {
  const rows = Array.from({ length: 3000 }, (_, at) => ({
    at,
    note: `row ${at}`,
    api_key: `${MARK}${at}`,
    iban: MARK,
  }));
  return {
    format: 'json',
    bytes: Buffer.from(JSON.stringify({ rows })),
    truncated: false,
    mode: 'redacted',
    ...more,
  };
}

describe('shaping on another thread', () => {
  it.each([
    ['redacted', largeBody()],
    ['cut and redacted', largeBody({ truncated: true, bytes: largeBody().bytes.subarray(0, 200_000) })],
    ['cut', largeBody({ truncated: true, mode: 'full', bytes: largeBody().bytes.subarray(0, 200_000) })],
    ['noise', largeBody({ bytes: randomBytes(100_000) })],
  ] as const)('gives what the event loop would give: %s', async (_, body) => {
    const options = { keys: ['iban'], emails: true };
    const here = shapeBody(body, (whole) => createRedaction(options).body(whole));
    const there = await createShapingThread(options)(body);
    expect(Buffer.from(there.bytes).toString()).toBe(Buffer.from(here.bytes).toString());
    expect({ format: there.format, found: there.found }).toEqual({ format: here.format, found: here.found });
    if (body.mode === 'redacted') expect(Buffer.from(there.bytes).toString()).not.toContain(MARK);
  });

  it('answers many at once, each with its own', async () => {
    const shape = createShapingThread({});
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        shape(largeBody({ format: 'text', bytes: Buffer.from(`n${at} token=${MARK}`) }))
      )
    );
    expect(answers.map((one) => Buffer.from(one.bytes).toString())).toEqual(
      Array.from({ length: 20 }, (_, at) => `n${at} token=[redacted]`)
    );
  });

  it('fails what takes too long, tells nothing, and starts again for the next', async () => {
    const impatient = createShapingThread({}, 0);
    const error: unknown = await impatient(largeBody()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe('Error: the shaping thread ended');
    const patient = createShapingThread({});
    await expect(patient(largeBody())).resolves.toMatchObject({ format: 'json' });
  });

  it('finishes what is under way, then does not keep the process alive', () => {
    const script = `
      const { createShapingThread } = await import(${JSON.stringify(new URL('./shaping-thread.ts', import.meta.url).href)});
      const bytes = new TextEncoder().encode('token=x');
      createShapingThread({})({ format: 'text', bytes, truncated: false, mode: 'redacted' }).then((body) => {
        process.stdout.write(body.bytes);
      });`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
    expect(out.toString()).toBe('token=[redacted]');
  });
});
