/**
 * The company whose million calls the pages are measured on: people, servers, tools, clients. Data only, and made up.
 * Ana is the one who calls most (about 6 % of all), so a viewer is measured on the largest share that one person has.
 */

export const VIEWER = 'ana@example.com';

export const PEOPLE: readonly string[] = [
  VIEWER,
  ...Array.from({ length: 299 }, (_, index) => `person${index + 1}@example.com`),
];

/** The most used first. */
export const SERVERS: readonly string[] = [
  'filesystem',
  'tickets',
  'docs',
  'warehouse',
  'github',
  'memory',
  'calendar',
  'crm',
  'search',
  'deploys',
  'hr',
  'billing',
];

/** The most used first; each server has these under its own name. */
export const VERBS: readonly string[] = ['search', 'get', 'list', 'query', 'update', 'create', 'describe', 'delete'];

/** name and version */
export const CLIENTS: readonly (readonly [string, string])[] = [
  ['demo-ide', '1.8.2'],
  ['demo-ide', '1.7.9'],
  ['demo-agent', '0.4.0'],
  ['demo-chat', '2.1.0'],
  ['demo-cron', '1.0.0'],
];
