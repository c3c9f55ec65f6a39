/**
 * The company whose past the history tells: who works when with which servers, what their tools do and how long they
 * take. Data only. The people of the live demo are in it; nothing here exists.
 */
import { PEOPLE, type Person } from '../people.ts';

export interface Operation {
  readonly weight: number;
  readonly method: 'tools/call' | 'resources/read' | 'prompts/get';
  /** name of a tool or prompt, or what a resource URI begins with */
  readonly name: string;
  readonly medianMs: number;
  /** size of the answer's text */
  readonly medianBytes: number;
  /** how often the tool itself says that it failed */
  readonly errorRate: number;
  readonly writes?: true;
}

export interface HistoryServer {
  readonly name: string;
  readonly transport: 'http' | 'stdio';
  readonly host: string;
  readonly operations: readonly Operation[];
}

type Facts = readonly [weight: number, name: string, medianMs: number, medianBytes: number, errorRate: number];

const tool = (...[weight, name, medianMs, medianBytes, errorRate]: Facts): Operation => ({
  weight,
  method: 'tools/call',
  name,
  medianMs,
  medianBytes,
  errorRate,
});
const writing = (...facts: Facts): Operation => ({ ...tool(...facts), writes: true });

export const SERVERS = {
  tickets: {
    name: 'tickets',
    transport: 'http',
    host: 'tickets.example.com',
    operations: [
      tool(6, 'search_tickets', 180, 2400, 0.01),
      tool(7, 'get_ticket', 70, 1500, 0.03),
      writing(2, 'create_ticket', 260, 300, 0.04),
      writing(3, 'comment_on_ticket', 210, 200, 0.02),
      writing(1, 'close_ticket', 190, 150, 0.05),
    ],
  },
  docs: {
    name: 'docs',
    transport: 'http',
    host: 'docs.example.com',
    operations: [
      tool(9, 'search_docs', 320, 3200, 0.005),
      tool(5, 'read_page', 90, 5200, 0.02),
      { ...tool(3, 'docs://handbook/', 60, 4200, 0), method: 'resources/read' },
      { ...tool(1, 'summarize', 12, 700, 0), method: 'prompts/get' },
    ],
  },
  warehouse: {
    name: 'warehouse',
    transport: 'http',
    host: 'warehouse.example.com',
    operations: [
      tool(10, 'run_query', 900, 3000, 0.09),
      tool(3, 'describe_table', 45, 1100, 0.02),
      tool(2, 'list_tables', 35, 800, 0),
      writing(1, 'export_report', 4200, 400, 0.06),
    ],
  },
  filesystem: {
    name: 'filesystem',
    transport: 'stdio',
    host: '',
    operations: [
      tool(9, 'read_text_file', 4, 2600, 0.03),
      tool(4, 'list_directory', 3, 900, 0.01),
      tool(3, 'search_files', 25, 700, 0.01),
      writing(3, 'edit_file', 7, 600, 0.08),
      writing(2, 'write_file', 6, 120, 0.01),
    ],
  },
  memory: {
    name: 'memory',
    transport: 'stdio',
    host: '',
    operations: [
      tool(6, 'search_nodes', 5, 1200, 0),
      tool(2, 'read_graph', 9, 6000, 0),
      writing(2, 'create_entities', 6, 400, 0.01),
      writing(2, 'add_observations', 6, 250, 0.05),
    ],
  },
} as const satisfies Record<string, HistoryServer>;

export interface Habit {
  readonly person: Person;
  readonly address: string;
  /** hours that the person's day is ahead of UTC */
  readonly utcOffset: number;
  /** sessions on an ordinary weekday */
  readonly sessions: number;
  /** calls in a session, about */
  readonly calls: number;
  /** seconds between two calls, about: people think, agents hurry */
  readonly thinkSeconds: number;
  readonly servers: readonly WeightedServer[];
}

interface WeightedServer {
  readonly weight: number;
  readonly server: HistoryServer;
}

const uses = (weight: number, server: HistoryServer): WeightedServer => ({ weight, server });
const { tickets, docs, warehouse, filesystem, memory } = SERVERS;

const FRANK: Person = { ...PEOPLE.chloe, key: 'demo-frank', user: 'frank@example.com', teams: ['support'] };
const GRACE: Person = { ...PEOPLE.ben, key: 'demo-grace', user: 'grace@example.com', teams: ['data'] };

export const HABITS: readonly Habit[] = [
  {
    person: PEOPLE.ana,
    address: '192.0.2.11',
    utcOffset: 1,
    sessions: 5,
    calls: 14,
    thinkSeconds: 25,
    servers: [uses(3, docs), uses(4, filesystem), uses(2, tickets)],
  },
  {
    person: PEOPLE.ben,
    address: '192.0.2.12',
    utcOffset: 1,
    sessions: 6,
    calls: 22,
    thinkSeconds: 5,
    servers: [uses(5, filesystem), uses(2, docs), uses(2, memory)],
  },
  {
    person: PEOPLE.chloe,
    address: '192.0.2.13',
    utcOffset: 0,
    sessions: 4,
    calls: 11,
    thinkSeconds: 40,
    servers: [uses(5, docs), uses(3, memory)],
  },
  {
    person: PEOPLE.david,
    address: '198.51.100.7',
    utcOffset: 2,
    sessions: 3,
    calls: 12,
    thinkSeconds: 30,
    servers: [uses(3, filesystem), uses(3, tickets)],
  },
  {
    person: PEOPLE.emma,
    address: '192.0.2.15',
    utcOffset: 1,
    sessions: 5,
    calls: 18,
    thinkSeconds: 6,
    servers: [uses(6, warehouse), uses(2, docs)],
  },
  {
    person: FRANK,
    address: '203.0.113.20',
    utcOffset: -5,
    sessions: 6,
    calls: 13,
    thinkSeconds: 20,
    servers: [uses(7, tickets), uses(2, docs)],
  },
  {
    person: GRACE,
    address: '203.0.113.21',
    utcOffset: -5,
    sessions: 3,
    calls: 20,
    thinkSeconds: 7,
    servers: [uses(5, warehouse), uses(2, memory)],
  },
];

/** The job that runs every night, weekends too. */
export const NIGHTLY: Habit = {
  person: PEOPLE.nightly,
  address: '192.0.2.200',
  utcOffset: 0,
  sessions: 1,
  calls: 26,
  thinkSeconds: 2,
  servers: [uses(1, warehouse)],
};
