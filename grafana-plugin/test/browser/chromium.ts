/**
 * The real browser for the tests of the pages: Chromium of the system, found by `CHROMIUM_PATH` or in the PATH. Without
 * one the tests are skipped loudly; where `CI` is set that is a failure.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** No updates, no reports, nothing that talks to the network by itself. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function findChromium(): string | undefined {
  const asked = process.env.CHROMIUM_PATH;
  if (asked !== undefined && asked !== '') return asked;
  const directories = (process.env.PATH ?? '').split(delimiter);
  return directories.flatMap((directory) => NAMES.map((name) => join(directory, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** For `describe.skipIf`. */
export function withoutChromium(): boolean {
  if (findChromium() !== undefined) return false;
  const said = 'There is no Chromium here: install it (apt-get install chromium) or set CHROMIUM_PATH.';
  if (process.env.CI !== undefined && process.env.CI !== '') throw new Error(said);
  process.stderr.write(`\n*** Tests of the pages are SKIPPED. ${said} ***\n\n`);
  return true;
}

export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no Chromium');
  return chromium.launch({ executablePath, args: ARGS });
}
