/** JSON values and the paths to them, written as the record writes what it redacted: `$.params.arguments["x y"][0]`. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonStep = string | number;

/** @returns undefined when it is no JSON */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Where a value stands. Linked from below, since at ten thousand levels a path for each value is too much to make. */
export interface JsonPlace {
  /** undefined at the root */
  readonly parent: JsonPlace | undefined;
  readonly step: JsonStep | undefined;
  readonly value: Json;
}

export function pathOf(place: JsonPlace): string {
  const steps: string[] = [];
  for (let one: JsonPlace | undefined = place; one?.step !== undefined; one = one.parent) steps.push(written(one.step));
  return `$${steps.reverse().join('')}`;
}

/** Whether both name the same value of the same whole. */
export function isSamePlace(one: JsonPlace, other: JsonPlace): boolean {
  return one.step === other.step && one.parent?.value === other.parent?.value;
}

function written(step: JsonStep): string {
  if (typeof step === 'number') return `[${step}]`;
  return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

export function isBranch(value: Json): value is readonly Json[] | Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null;
}

export function isRecord(value: unknown): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function childCount(value: Json): number {
  return Array.isArray(value) ? value.length : isRecord(value) ? Object.keys(value).length : 0;
}
