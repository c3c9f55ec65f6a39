import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['gateway/src/**/*.test.ts', 'provisioning/**/*.test.ts', 'scripts/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'plugin',
          include: ['grafana-plugin/src/**/*.test.{ts,tsx}', 'grafana-plugin/preview/**/*.test.ts'],
          environment: 'jsdom',
          // they import named parts of CommonJS packages, as a bundler may and Node may not
          server: { deps: { inline: [/@grafana\//] } },
        },
      },
      {
        test: {
          name: 'browser',
          include: ['grafana-plugin/test/browser/**/*.test.ts'],
          globalSetup: ['grafana-plugin/test/browser/built.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['gateway/test/**/*.test.ts'],
          exclude: ['gateway/test/stack/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['gateway/test/stack/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
