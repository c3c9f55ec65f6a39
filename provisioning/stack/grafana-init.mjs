/**
 * Makes what the audit API needs in Grafana, once: a service account with a token in a file, and the team whose members
 * are Auditors. Runs after Grafana is healthy; a token that still works is left alone. Prints no secret.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const NAME = 'gatelens-audit-api';
const TEAM = 'Security Audit';
const { GRAFANA_URL = '', GRAFANA_ADMIN_PASSWORD = '', GRAFANA_TOKEN_FILE = '' } = process.env;
const admin = `Basic ${Buffer.from(`admin:${GRAFANA_ADMIN_PASSWORD}`).toString('base64')}`;

/** @returns {Promise<any>} */
async function ask(path, { method = 'GET', body, authorization = admin } = {}) {
  const response = await fetch(`${GRAFANA_URL}/api${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`Grafana answered ${response.status} to ${method} /api${path.split('?')[0]}.`);
  return response.json();
}

async function tokenWorks() {
  try {
    const token = readFileSync(GRAFANA_TOKEN_FILE, 'utf8').trim();
    await ask('/org/users', { authorization: `Bearer ${token}` });
    return true;
  } catch {
    return false;
  }
}

async function serviceAccountId() {
  const found = await ask(`/serviceaccounts/search?query=${NAME}`);
  const known = found.serviceAccounts.find((one) => one.name === NAME);
  // Admin: a lower role may not read who is in a team
  return (known ?? (await ask('/serviceaccounts', { method: 'POST', body: { name: NAME, role: 'Admin' } }))).id;
}

try {
  const teams = await ask(`/teams/search?name=${encodeURIComponent(TEAM)}`);
  if (teams.teams.length === 0) await ask('/teams', { method: 'POST', body: { name: TEAM } });
  if (await tokenWorks()) {
    process.stdout.write('The service account is there, and its token works.\n');
  } else {
    const id = await serviceAccountId();
    const { key } = await ask(`/serviceaccounts/${id}/tokens`, {
      method: 'POST',
      body: { name: `${NAME}-${Date.now()}` },
    });
    writeFileSync(GRAFANA_TOKEN_FILE, `${key}\n`, { mode: 0o600 });
    process.stdout.write('Made a token of the service account for the audit API.\n');
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Grafana does not answer.'}\n`);
  process.exit(1);
}
