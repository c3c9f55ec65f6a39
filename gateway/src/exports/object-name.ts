/**
 * Names of exported files by template. A name is the same whenever the same window is made again, and never leads out of
 * its destination: what goes into it is made harmless, and what a template says is checked when it is saved.
 */
export interface ObjectNameValues {
  readonly schedule: string;
  /** ns since 1970 */
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** 0: the window itself */
  readonly supplement: number;
  /** from 1 */
  readonly part: number;
  /** e.g. `jsonl.gz` */
  readonly extension: string;
}

export const DEFAULT_OBJECT_NAME = '{schedule}/{yyyy}/{mm}/{dd}/{from}_{to}{supplement}-{part}.{ext}';
const VARIABLES = ['schedule', 'from', 'to', 'yyyy', 'mm', 'dd', 'hh', 'supplement', 'part', 'ext'] as const;
const MAX_NAME_BYTES = 900;

/** @returns what is wrong with it, or undefined */
export function templateProblem(template: string): string | undefined {
  const unknown = [...template.matchAll(/\{([^{}]*)\}/g)].find(([, name]) => !VARIABLES.some((one) => one === name));
  if (unknown !== undefined)
    return `has an unknown variable; there are ${VARIABLES.map((one) => `{${one}}`).join(', ')}`;
  for (const needed of ['{from}', '{supplement}', '{part}']) {
    if (!template.includes(needed)) return `needs ${needed}, or two exports would have the same name`;
  }
  if (!(template.split('/').at(-1) ?? '').includes('{part}')) return 'needs {part} after the last /';
  const fixed = template.replace(/\{[a-z]+\}/g, 'x');
  if (/[{}]/.test(fixed)) return 'has a brace that belongs to no variable';
  if (!/^[A-Za-z0-9!_.*'()/=+@,: -]+$/.test(fixed)) return "may have letters, digits and !_.*'()/=+@,:- only";
  if (fixed.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'must not begin or end with /, nor have empty, . or .. between';
  }
  return undefined;
}

/** @throws TypeError for a template that was never checked */
export function objectName(template: string, values: ObjectNameValues): string {
  if (templateProblem(template) !== undefined) throw new TypeError('the template of names was not checked');
  const from = stamp(values.fromNs);
  const known: Readonly<Record<(typeof VARIABLES)[number], string>> = {
    schedule: harmless(values.schedule),
    from,
    to: stamp(values.toNs),
    yyyy: from.slice(0, 4),
    mm: from.slice(4, 6),
    dd: from.slice(6, 8),
    hh: from.slice(9, 11),
    supplement: values.supplement === 0 ? '' : `-late${values.supplement}`,
    part: String(values.part).padStart(4, '0'),
    ext: values.extension,
  };
  const name = template.replace(/\{([a-z]+)\}/g, (_all, variable: (typeof VARIABLES)[number]) => known[variable]);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new TypeError('the name of an object is too long');
  return name;
}

/** Letters and digits of any language would do on some destinations and not on others. */
function harmless(text: string): string {
  const safe = text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '');
  return safe === '' ? 'export' : safe.slice(0, 100);
}

/** e.g. `20261124T080000Z` */
function stamp(ns: bigint): string {
  return `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
