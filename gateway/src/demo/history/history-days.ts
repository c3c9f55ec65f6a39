/**
 * Which days of the history have been written to this data directory, so that a second `--history` adds only what is
 * missing. A small file beside the spool; a damaged one is an error, since guessing would double days.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { writePrivateFile } from '../../access/credential-file.ts';
import { GatelensError } from '../../errors.ts';

const fileSchema = z.strictObject({ version: z.literal(1), days: z.array(z.iso.date()) });

export class HistoryDays {
  readonly #file: string;
  readonly #days: Set<string>;

  /** @throws GatelensError `data_dir_unusable` */
  constructor(dataDir: string) {
    this.#file = join(dataDir, 'demo-history.json');
    this.#days = new Set(readDays(this.#file));
  }

  has(day: string): boolean {
    return this.#days.has(day);
  }

  add(day: string): void {
    this.#days.add(day);
    writePrivateFile(this.#file, `${JSON.stringify({ version: 1, days: [...this.#days].sort() })}\n`);
  }
}

function readDays(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw damaged(file, error);
  }
  try {
    return fileSchema.parse(JSON.parse(text)).days;
  } catch (error) {
    throw damaged(file, error);
  }
}

function damaged(file: string, cause: unknown): GatelensError {
  return new GatelensError(
    'data_dir_unusable',
    `${file} cannot be read or is damaged: it names the days that the demo's history has. Without it they would be written twice. Put it back, or use another data directory.`,
    { cause }
  );
}

const DAY_MS = 86_400_000;

/** The whole days (UTC) before today, oldest first. */
export function pastDays(now: Date, count: number): readonly string[] {
  const todayMs = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  return Array.from({ length: count }, (_, index) =>
    new Date(todayMs - (count - index) * DAY_MS).toISOString().slice(0, 10)
  );
}
