/** Before the tests of the pages: they are built anew where their source is newer, so that no test passes on old code. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RUN = fileURLToPath(new URL('../../../scripts/run.mjs', import.meta.url));

export default function setup(): void {
  const { status } = spawnSync(process.execPath, [RUN, 'keep-plugin-built'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('The pages could not be built. Run: npm run build:plugin');
}
