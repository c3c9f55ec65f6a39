/**
 * What happens in the demo: who visits which server and what they call there, so that every kind of record and every
 * outcome but `interrupted` comes about by real calls. Each scene is one person's; scenes run side by side.
 */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { PEOPLE, STRANGER, type Person } from './people.ts';
import type { Visit } from './visit.ts';

export interface Stage {
  /** @throws what the gateway or the server answers instead */
  visit(person: Person, server: string): Promise<Visit>;
  /** folder that the sample file server serves */
  readonly filesDir: string;
  /** name of the server over HTTP; where there is none, that of the same server over stdio */
  readonly overHttp: string;
}

export interface Scene {
  readonly person: Person;
  /** what it shows, for the progress line */
  readonly about: string;
  readonly play: (stage: Stage) => Promise<void>;
}

export const SCENES: readonly Scene[] = [
  { person: PEOPLE.ana, about: 'everything a server offers, over stdio', play: tour },
  { person: PEOPLE.ben, about: 'questions of the server, and calls given up', play: questions },
  { person: PEOPLE.ben, about: 'a task that runs on its own', play: task },
  { person: PEOPLE.chloe, about: 'a memory, and names that do not exist', play: memory },
  { person: PEOPLE.david, about: 'what a policy denies', play: denied },
  { person: PEOPLE.emma, about: 'files, and one outside of the folder', play: files },
  { person: PEOPLE.nightly, about: 'a server that hangs and dies', play: trouble },
  { person: STRANGER, about: 'a key that nobody made', play: stranger },
];

async function tour(stage: Stage): Promise<void> {
  await during(stage, PEOPLE.ana, 'everything', async (client) => {
    await listAll(client);
    await client.setLoggingLevel('debug');
    await client.callTool({ name: 'echo', arguments: { message: 'Hello from the demo' } });
    await client.callTool({ name: 'get-sum', arguments: { a: 19, b: 23 } });
    await client.callTool({ name: 'get-structured-content', arguments: { location: 'Chicago' } });
    await client.callTool({ name: 'get-roots-list' });
    await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Berlin' } });
    await client.complete({
      ref: { type: 'ref/prompt', name: 'completable-prompt' },
      argument: { name: 'department', value: 'E' },
    });
    await client.readResource({ uri: 'demo://resource/dynamic/text/7' });
    await client.subscribeResource({ uri: 'demo://resource/dynamic/text/7' });
    await client.unsubscribeResource({ uri: 'demo://resource/dynamic/text/7' });
    await withProgress(client);
    await client.ping();
    await refused(client.getPrompt({ name: 'no-such-prompt' }));
  });
}

async function questions(stage: Stage): Promise<void> {
  const server = stage.overHttp;
  await during(stage, PEOPLE.ben, server, async (client) => {
    await client.listTools();
    await client.callTool({ name: 'trigger-sampling-request', arguments: { prompt: 'Capital of France?' } });
    await client.callTool({ name: 'trigger-elicitation-request' });
    await withProgress(client);
    await cancelled(client);
  });
  const visit = await stage.visit(PEOPLE.ben, server);
  const lost = visit.client.callTool(LONG_CALL);
  await pause(200);
  await visit.hangUp();
  await refused(lost);
}

async function task(stage: Stage): Promise<void> {
  await during(stage, PEOPLE.ben, 'everything', async (client) => {
    await client.listTools();
    const steps = client.experimental.tasks.callToolStream(
      { name: 'simulate-research-query', arguments: { topic: 'audit logs' } },
      CallToolResultSchema,
      { task: { ttl: 60_000 } }
    );
    for await (const step of steps) if (step.type === 'error') throw step.error;
  });
}

async function memory(stage: Stage): Promise<void> {
  await during(stage, PEOPLE.chloe, 'memory', async (client) => {
    await client.listTools();
    await client.callTool({
      name: 'create_entities',
      arguments: {
        entities: [
          { name: 'Gatelens', entityType: 'project', observations: ['Keeps a record of every MCP call'] },
          { name: 'Ana', entityType: 'person', observations: ['Runs the gateway'] },
        ],
      },
    });
    await client.callTool({
      name: 'create_relations',
      arguments: { relations: [{ from: 'Ana', to: 'Gatelens', relationType: 'runs' }] },
    });
    for (const query of ['gateway', 'Ana', 'nothing of the kind']) {
      await client.callTool({ name: 'search_nodes', arguments: { query } });
    }
    await client.callTool({ name: 'read_graph' });
    // A name the model made up: it shows as (unlisted), since it could hold anything.
    await either(client.callTool({ name: 'forget_everything_about_ana' }));
    await refused(client.listPrompts());
  });
}

async function denied(stage: Stage): Promise<void> {
  const { filesDir } = stage;
  await during(stage, PEOPLE.david, 'filesystem', async (client) => {
    await client.listTools();
    await client.callTool({ name: 'read_text_file', arguments: { path: `${filesDir}/welcome.md` } });
    const content = 'Contractors may read, but not write.';
    await refused(client.callTool({ name: 'write_file', arguments: { path: `${filesDir}/mine.md`, content } }));
    await refused(
      client.callTool({
        name: 'move_file',
        arguments: { source: `${filesDir}/welcome.md`, destination: `${filesDir}/w.md` },
      })
    );
  });
  await refused(stage.visit(PEOPLE.david, 'payroll'));
}

async function files(stage: Stage): Promise<void> {
  const { filesDir } = stage;
  await during(stage, PEOPLE.emma, 'filesystem', async (client) => {
    await client.listTools();
    await client.callTool({ name: 'list_directory', arguments: { path: filesDir } });
    for (const name of ['welcome.md', 'notes/meeting.md', 'data/orders.csv']) {
      await client.callTool({ name: 'read_text_file', arguments: { path: `${filesDir}/${name}` } });
    }
    await client.callTool({ name: 'search_files', arguments: { path: filesDir, pattern: '**/*.md' } });
    const summary = { path: `${filesDir}/notes/summary.md`, content: '# Summary\n\nThree orders, 1128.15 in all.\n' };
    await client.callTool({ name: 'write_file', arguments: summary });
    await client.callTool({ name: 'read_text_file', arguments: { path: '/etc/passwd' } });
    await client.callTool({ name: 'read_text_file', arguments: { path: `${filesDir}/missing.md` } });
  });
}

async function trouble(stage: Stage): Promise<void> {
  await during(stage, PEOPLE.nightly, 'flaky', async (client) => {
    await client.listTools();
    await client.callTool({ name: 'fail', arguments: { reason: 'The report has no rows.' } });
    await client.callTool({ name: 'wait', arguments: { seconds: 0.2 } });
    await refused(client.callTool({ name: 'wait', arguments: { seconds: 30 } }));
    await refused(client.callTool({ name: 'crash' }));
  });
}

async function stranger(stage: Stage): Promise<void> {
  await refused(stage.visit(STRANGER, 'everything'));
  await refused(stage.visit(STRANGER, 'filesystem'));
}

const LONG_CALL = { name: 'trigger-long-running-operation', arguments: { duration: 4, steps: 2 } };

async function during(
  stage: Stage,
  person: Person,
  server: string,
  play: (client: Client) => Promise<void>
): Promise<void> {
  const visit = await stage.visit(person, server);
  try {
    await play(visit.client);
  } finally {
    await visit.close();
  }
}

async function listAll(client: Client): Promise<void> {
  await client.listTools();
  await client.listPrompts();
  await client.listResources();
  await client.listResourceTemplates();
}

async function withProgress(client: Client): Promise<void> {
  const quick = { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 } };
  await client.callTool(quick, undefined, { onprogress: () => undefined });
}

/** The client changes its mind and says so: `notifications/cancelled`. */
async function cancelled(client: Client): Promise<void> {
  const giveUp = new AbortController();
  const call = client.callTool(LONG_CALL, undefined, { signal: giveUp.signal });
  await pause(200);
  giveUp.abort();
  await refused(call);
}

/** For what must go wrong: a demo that shows a denial has failed when the call passes. */
async function refused(call: Promise<unknown>): Promise<void> {
  const passed = await call.then(
    () => true,
    () => false
  );
  if (passed) throw new Error('a call passed that should not');
}

/** Whatever the answer is: servers differ in how they refuse an unknown name. */
async function either(call: Promise<unknown>): Promise<void> {
  await call.catch(() => undefined);
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
