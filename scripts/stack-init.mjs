#!/usr/bin/env node
/**
 * Makes .env for docker-compose.yml: takes .env.example and fills in each secret that is empty. Never changes a value
 * that is there, so it can be run again after an upgrade that needs a new one. Any Node from 18; installs nothing.
 */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const example = readFileSync(join(root, '.env.example'), 'utf8');
const file = resolve(process.argv[2] ?? join(root, '.env'));

const valuesOf = (text) => new Map([...text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map((line) => [line[1], line[2]]));
const before = existsSync(file) ? valuesOf(readFileSync(file, 'utf8')) : new Map();

const random = () => randomBytes(32).toString('base64url');
const notes = [];

function keyPair() {
  const jwk = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { GATELENS_PUBLIC_KEY: jwk.x, GATELENS_PRIVATE_KEY: jwk.d };
}

function apiKey() {
  const key = `gl_${randomBytes(32).toString('base64url')}`;
  notes.push(`API key for your first MCP client, shown this once:\n  ${key}`);
  return { GATELENS_API_KEY_SHA256: createHash('sha256').update(key).digest('hex') };
}

/** names that belong together → how they are made */
const MAKERS = [
  [['GATELENS_PUBLIC_KEY', 'GATELENS_PRIVATE_KEY'], keyPair],
  [['GATELENS_API_KEY_SHA256'], apiKey],
];

const values = valuesOf(example);
for (const [name, value] of before) if (value !== '' || values.get(name) === undefined) values.set(name, value);
const isEmpty = (name) => (values.get(name) ?? '') === '';
for (const [names, make] of MAKERS) {
  const empty = names.filter(isEmpty);
  if (empty.length === 0) continue;
  if (empty.length < names.length) {
    process.stderr.write(
      `${empty.join(', ')} is empty in ${file}, and belongs to another value there. Fill it in, or empty both.\n`
    );
    process.exit(1);
  }
  for (const [name, value] of Object.entries(make())) values.set(name, value);
}
for (const name of values.keys()) if (isEmpty(name) && name !== 'COMPOSE_PROFILES') values.set(name, random());

const known = example.replace(/^([A-Z][A-Z0-9_]*)=.*$/gm, (_, name) => `${name}=${values.get(name) ?? ''}`);
const own = [...values].filter(([name]) => !valuesOf(example).has(name)).map(([name, value]) => `${name}=${value}\n`);
writeFileSync(`${file}.new`, known + own.join(''), { mode: 0o600 });
renameSync(`${file}.new`, file);

const made = [...values.keys()].filter((name) => (before.get(name) ?? '') !== values.get(name)).length;
process.stdout.write(
  `${[...notes, made === 0 ? `${file} had everything.` : `Wrote ${file}, ${made} values new.`].join('\n')}\n`
);
if (made > 0)
  process.stdout.write(
    'Grafana: user admin, password GRAFANA_ADMIN_PASSWORD in that file. Next: docker compose up -d --build\n'
  );
