/** For a real Grafana; see e2e/README.md. One project signs each user in, the others use what it kept. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PluginOptions } from '@grafana/plugin-e2e';
import { defineConfig } from '@playwright/test';

const SIGN_IN = path.join(path.dirname(fileURLToPath(import.meta.resolve('@grafana/plugin-e2e'))), 'auth');
const password = process.env.E2E_PASSWORD ?? 'admin';

const USERS = [
  { name: 'admin', user: 'admin' },
  { name: 'viewer', user: 'e2e-viewer' },
  { name: 'auditor', user: 'e2e-auditor' },
] as const;

export default defineConfig<PluginOptions>({
  testDir: path.join(import.meta.dirname, 'e2e'),
  fullyParallel: false,
  forbidOnly: true,
  use: {
    baseURL: process.env.GRAFANA_URL ?? 'http://localhost:3000',
    provisioningRootDir: path.join(import.meta.dirname, '..', 'provisioning'),
    trace: 'retain-on-failure',
  },
  projects: USERS.flatMap(({ name, user }) => [
    { name: `sign in ${name}`, testDir: SIGN_IN, testMatch: /.*\.js/, use: { user: { user, password } } },
    {
      name,
      testMatch: new RegExp(`${name}\\.spec\\.ts$`),
      use: { storageState: `playwright/.auth/${user}.json` },
      dependencies: [`sign in ${name}`],
    },
  ]),
});
