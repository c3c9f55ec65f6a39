import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../gateway/src/config.ts';
import { configurationDoc, configurationJsonSchema, EXAMPLE } from './configuration-doc.ts';

it('gives an example that is a good configuration', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'gatelens-docs-'));
  try {
    writeFileSync(join(cwd, 'gatelens.yaml'), EXAMPLE);
    const { config, warnings } = loadConfig({ file: 'gatelens.yaml', env: { DOCS_TOKEN: 'x' }, cwd });
    expect(Object.keys(config.mcpServers)).toEqual(['everything', 'docs']);
    expect(warnings).toEqual([]);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

it('describes every setting', () => {
  const described = configurationDoc()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(described.length).toBeGreaterThan(80);
  for (const line of described) expect(line).not.toMatch(/\|\s*\|$/);
});

it('gives editors a schema that takes what people write: units, addresses, servers without a type', () => {
  const schema = JSON.parse(configurationJsonSchema()) as { properties: Record<string, unknown>; required: string[] };
  expect(schema.required).toEqual(['mcpServers']);
  expect(JSON.stringify(schema.properties.retention)).not.toContain('"format"');
  expect(JSON.stringify(schema)).not.toContain('"secret"');
});
