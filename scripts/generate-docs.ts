/**
 * Writes the documents that are generated from the code, or with `--check` says which of them have drifted. Run by
 * `npm run docs` and `npm run check`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { configurationDoc, configurationJsonSchema } from './docs/configuration-doc.ts';
import { recordDoc } from './docs/record-doc.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configurationDoc,
  'docs/gatelens.schema.json': configurationJsonSchema,
  'docs/record.md': recordDoc,
};

async function contentOf(file: string, make: () => string): Promise<string> {
  const filepath = join(ROOT, file);
  return format(make(), { ...(await resolveConfig(filepath)), filepath });
}

function readIfThere(file: string): string {
  try {
    return readFileSync(join(ROOT, file), 'utf8');
  } catch {
    return '';
  }
}

const check = process.argv.includes('--check');
for (const [file, make] of Object.entries(DOCUMENTS)) {
  const content = await contentOf(file, make);
  if (content === readIfThere(file)) continue;
  if (check) {
    process.stderr.write(`${file} is not what the code says. Run npm run docs and look at the difference.\n`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(join(ROOT, file)), { recursive: true });
    writeFileSync(join(ROOT, file), content);
    process.stderr.write(`wrote ${file}\n`);
  }
}
