/**
 * Who the demo plays: people with their teams and MCP clients, and a job that has a key but no person. The same people
 * appear in the history. Ana is the one whose own calls the viewer token of the quick start shows.
 */
export interface Person {
  /** name of the API key; all begin with `demo-`, so that they can be told from real ones */
  readonly key: string;
  /** omitted: the key belongs to nobody in particular */
  readonly user?: string;
  readonly teams: readonly string[];
  readonly client: { readonly name: string; readonly version: string };
}

/** Team that the sample policy lets read but not write. */
export const CONTRACTORS = 'contractors';

const IDE = { name: 'demo-ide', version: '1.8.2' };
const OLD_IDE = { name: 'demo-ide', version: '1.7.9' };
const AGENT = { name: 'demo-agent', version: '0.4.0' };
const CHAT = { name: 'demo-chat', version: '2.1.0' };

export const PEOPLE = {
  ana: { key: 'demo-ana', user: 'ana@example.com', teams: ['platform'], client: IDE },
  ben: { key: 'demo-ben', user: 'ben@example.com', teams: ['platform'], client: AGENT },
  chloe: { key: 'demo-chloe', user: 'chloe@example.com', teams: ['research'], client: CHAT },
  david: { key: 'demo-david', user: 'david@example.com', teams: [CONTRACTORS], client: OLD_IDE },
  emma: { key: 'demo-emma', user: 'emma@example.com', teams: ['data', 'platform'], client: AGENT },
  nightly: { key: 'demo-nightly', teams: ['platform'], client: { name: 'demo-cron', version: '1.0.0' } },
} as const satisfies Record<string, Person>;

/** Claims a key that nobody made. */
export const STRANGER: Person = { key: 'demo-stranger', teams: [], client: { name: 'demo-scanner', version: '0.0.1' } };
