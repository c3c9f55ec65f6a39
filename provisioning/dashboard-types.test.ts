/**
 * Dashboards against the types that Grafana itself publishes for them (`@grafana/schema`, generated from its CUE): the
 * board, its panels and variables, and the options of each kind of panel. For rules, contact points, policies and data
 * sources nothing of the kind is published; gateway/test/provisioning holds those against schemas of ours.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'provisioning', 'dashboards');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
/** Without what Grafana writes into every query variable (its text for the list of variables) and has in no type. */
const json = (name: string): Board =>
  JSON.parse(readFileSync(join(folder, name), 'utf8'), (key, value: unknown) =>
    key === 'definition' ? undefined : value
  ) as Board;

interface Board {
  readonly panels: readonly { readonly type: string; readonly options?: object }[];
}

/** Type of the options of a kind of panel, and where Grafana has it. */
const OPTIONS: Readonly<Record<string, string>> = {
  stat: 'raw/composable/stat/panelcfg/x/types.gen',
  table: 'raw/composable/table/panelcfg/x/types.gen',
  timeseries: 'raw/composable/timeseries/panelcfg/x/types.gen',
};

/** In JSON a member of an enum is its text; a type of an interface that lets anything through stays as it is. */
const JSON_OF = `type Json<T> = T extends string ? \`\${T}\` : T extends number | boolean | null | undefined ? T
    : T extends readonly (infer E)[] ? Json<E>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;`;

/** @returns what the compiler has against each of these sources, all in one go: the library is read once */
function complaints(sources: Readonly<Record<string, string>>): Record<string, string[]> {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const disk = ts.createCompilerHost(options);
  const virtual = new Map(Object.entries(sources).map(([name, text]) => [join(folder, `${name}.ts`), text]));
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => virtual.has(path) || disk.fileExists(path),
    readFile: (path) => virtual.get(path) ?? disk.readFile(path),
    getSourceFile: (path, version, ...rest) => {
      const text = virtual.get(path);
      return text === undefined ? disk.getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version);
    },
  };
  const program = ts.createProgram([...virtual.keys()], options, host);
  return Object.fromEntries(
    Object.keys(sources).map((name) => {
      const source = program.getSourceFile(join(folder, `${name}.ts`));
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return [name, found.map((one) => ts.flattenDiagnosticMessageText(one.messageText, '\n'))];
    })
  );
}

function sourceOf(board: Board): string {
  const types = join(root, 'node_modules/@grafana/schema/dist/types');
  const kinds = [...new Set(board.panels.map(({ type }) => type))].filter((type) => OPTIONS[type] !== undefined);
  const options = board.panels.flatMap(({ type, options }, at) =>
    kinds.includes(type)
      ? [`export const options${at}: Json<Partial<${type}.Options>> = ${JSON.stringify(options)};`]
      : []
  );
  return [
    `import type { Dashboard } from '${types}/raw/dashboard/x/types.gen';`,
    ...kinds.map((type) => `import type * as ${type} from '${types}/${OPTIONS[type]}';`),
    JSON_OF,
    `export const board: Json<Dashboard> = ${JSON.stringify(board)};`,
    ...options,
  ].join('\n');
}

describe('the dashboards', () => {
  const wrong = json(files[0] ?? '');
  const found = complaints({
    ...Object.fromEntries(files.map((name) => [name, sourceOf(json(name))])),
    mistyped: sourceOf({ ...wrong, ...{ refreshh: '30s' } }),
    'wrong value': sourceOf({ ...wrong, ...{ schemaVersion: 'newest' } }),
    'wrong option': sourceOf({ panels: [{ type: 'stat', options: { graphMode: 'areas' } }] }),
  });

  it.each(files)('%s is what Grafana takes', (name) => {
    expect(found[name]).toEqual([]);
  });

  it.each([
    ['mistyped', 'refreshh'],
    ['wrong value', `Type 'string' is not assignable to type 'number'`],
    ['wrong option', 'areas'],
  ])('are held against types that can fail: %s', (name, said) => {
    expect(found[name]?.join()).toContain(said);
  });
});
