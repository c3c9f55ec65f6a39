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

export function childPath(path: string, step: JsonStep): string {
  if (typeof step === 'number') return `${path}[${step}]`;
  return /^[A-Za-z_$][\w$]*$/.test(step) ? `${path}.${step}` : `${path}[${JSON.stringify(step)}]`;
}

export function pathOf(steps: readonly JsonStep[]): string {
  return steps.reduce<string>(childPath, '$');
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
