/**
 * What runs when there is no gatelens.yaml: real MCP servers from the installed packages as children, callers of this
 * machine let in without a key, and tokens of the audit API made once and shown at each start. For trying out on
 * loopback only; a configuration file takes its place.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { writePrivateFile } from '../access/credential-file.ts';
import { createSecret, hashSecret } from '../access/secrets.ts';
import { CONTRACTORS } from '../demo/people.ts';
import { FLAKY_PROGRAM, NODE_FLAGS } from '../demo/sample-programs.ts';
import { GatelensError } from '../errors.ts';
import { makePrivateDirectory } from '../private-directory.ts';

const tokensSchema = z.strictObject({
  version: z.literal(1),
  tokens: z.strictObject({ auditor: z.string(), admin: z.string(), viewer: z.string() }),
});
export type QuickStartTokens = z.output<typeof tokensSchema>['tokens'];

/** Whose calls the viewer token shows; one of the people in `gatelens demo`. */
const VIEWER = 'ana@example.com';

export interface QuickStartOptions {
  readonly dataDir: string;
  readonly nodePath: string;
  /** false when a client's file brings the servers */
  readonly withServers: boolean;
}

/** For `loadConfig({ defaults })`; writes nothing. @param tokens omitted: the audit API knows none */
export function quickStartDefaults(
  { dataDir, nodePath, withServers }: QuickStartOptions,
  tokens: QuickStartTokens | undefined
): Readonly<Record<string, unknown>> {
  const token = (role: keyof QuickStartTokens, secret: string) => ({
    name: `demo-${role}`,
    role,
    sha256: hashSecret(secret),
  });
  return {
    mcpServers: withServers ? sampleServers(dataDir, nodePath) : {},
    ...(withServers ? { policy: SAMPLE_POLICY } : {}),
    auth: { anonymous: true },
    auditApi: {
      tokens:
        tokens === undefined
          ? []
          : [
              token('auditor', tokens.auditor),
              token('admin', tokens.admin),
              { ...token('viewer', tokens.viewer), user: VIEWER },
            ],
    },
  };
}

/** Makes what the quick start needs in the data directory, once. Throws GatelensError `data_dir_unusable`. */
export function makeQuickStartFiles({ dataDir, withServers }: QuickStartOptions): QuickStartTokens {
  const tokens = readOrMakeTokens(join(dataDir, 'keys', 'demo-tokens.json'));
  if (withServers) makeSampleFiles(dataDir);
  return tokens;
}

/** Folder of the sample file server. */
export function sampleDirectory(dataDir: string): string {
  return join(dataDir, 'sample-files');
}

function readOrMakeTokens(file: string): QuickStartTokens {
  if (existsSync(file)) {
    try {
      return tokensSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).tokens;
    } catch {
      // No cause: a JSON error quotes the text, which are tokens here.
      throw new GatelensError(
        'data_dir_unusable',
        `${file} cannot be read or is damaged. Remove it; new tokens are made then.`
      );
    }
  }
  const make = () => createSecret('gla_');
  const tokens = { auditor: make(), admin: make(), viewer: make() };
  writePrivateFile(file, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
  return tokens;
}

/** Names of the sample servers, their packages and arguments. */
function sampleServers(dataDir: string, nodePath: string): Readonly<Record<string, unknown>> {
  const child = (packageName: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => ({
    command: nodePath,
    args: [programOf(packageName), ...args].map(literally),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, literally(value)])),
  });
  return {
    everything: child('@modelcontextprotocol/server-everything', ['stdio']),
    filesystem: child('@modelcontextprotocol/server-filesystem', [sampleDirectory(dataDir)]),
    memory: child('@modelcontextprotocol/server-memory', [], {
      MEMORY_FILE_PATH: join(dataDir, 'sample-memory.jsonl'),
    }),
    flaky: { command: nodePath, args: [...NODE_FLAGS, FLAKY_PROGRAM].map(literally), requestTimeout: '2s' },
  };
}

/** Something to be denied: who has no key, or one of another team, never notices it. */
const SAMPLE_POLICY = [
  {
    name: 'contractors-read-only',
    allow: false,
    users: [`team:${CONTRACTORS}`],
    servers: ['filesystem'],
    tools: ['write_*', 'edit_*', 'move_*', 'create_*'],
  },
  { name: 'everybody', allow: true },
];

/** A path is no template, even if a directory is called `${x}`. */
function literally(text: string): string {
  return text.replaceAll('${', '$${');
}

/** The program of an installed package; nothing is downloaded. */
function programOf(packageName: string): string {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
    const { bin } = z
      .object({ bin: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(manifest, 'utf8')));
    const [program] = Object.values(bin);
    if (program === undefined) throw new TypeError('no bin');
    return join(dirname(manifest), program);
  } catch (error) {
    throw new GatelensError(
      'config_invalid',
      `There is no gatelens.yaml here, and the sample server ${packageName} is not installed. Write a gatelens.yaml with your \`mcpServers\`, give a client's file with --mcp-config, or run npm install with development dependencies.`,
      { cause: error }
    );
  }
}

const SAMPLE_FILES: Readonly<Record<string, string>> = {
  'welcome.md': '# Welcome\n\nThese files belong to the sample file server of Gatelens. Change them as you like.\n',
  'notes/meeting.md':
    '# Weekly meeting\n\n- Roll out the gateway to the platform team\n- Ask security who reads payloads\n',
  'data/orders.csv': 'order,customer,amount\n1001,Acme,129.90\n1002,Globex,58.00\n1003,Initech,940.25\n',
  'data/settings.json': '{\n  "theme": "dark",\n  "pageSize": 50\n}\n',
};

/** Leaves what is there. Throws GatelensError `data_dir_unusable`. */
export function makeSampleFiles(dataDir: string): void {
  const directory = sampleDirectory(dataDir);
  if (existsSync(directory)) return;
  try {
    for (const [name, content] of Object.entries(SAMPLE_FILES)) {
      const file = join(directory, name);
      makePrivateDirectory(dirname(file));
      writeFileSync(file, content);
    }
  } catch (error) {
    throw new GatelensError(
      'data_dir_unusable',
      `${directory} cannot be written. Check the rights and the space, or choose another place with --data-dir.`,
      { cause: error }
    );
  }
}
