/**
 * From a CPU profile to "µs a call by stage": self time is given to the folder of the product that ran, or that called
 * the library that ran, so that hashing counts where it was asked for.
 */
import type { Profile } from './child.ts';

const STAGES: readonly (readonly [stage: string, pattern: RegExp])[] = [
  ['garbage collection', /^\(garbage collector\)$/],
  ['idle', /^\((idle|program|root)\)$/],
  ['seal payloads', /gateway\/src\/protection\//],
  ['spool and ship', /gateway\/src\/spool\//],
  ['spans and events', /gateway\/src\/(telemetry|record)\/|@opentelemetry/],
  ['relay', /gateway\/src\/(mcp|http|access)\/|undici|hono/],
];

export interface Stage {
  readonly stage: string;
  readonly us: number;
}

/** @returns microseconds of self time, largest first, idle left out */
export function stagesOf(profile: Profile): Stage[] {
  const parents = new Map<number, number>();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const stageOfNode = new Map<number, string>();
  const stageOf = (id: number): string => {
    const known = stageOfNode.get(id);
    if (known !== undefined) return known;
    const node = nodes.get(id);
    const name = node === undefined ? '' : node.callFrame.url || node.callFrame.functionName;
    const own = STAGES.find(([, pattern]) => pattern.test(name))?.[0];
    const parent = parents.get(id);
    const stage = own ?? (parent === undefined ? 'node itself' : inherited(stageOf(parent)));
    stageOfNode.set(id, stage);
    return stage;
  };
  const sums = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const stage = stageOf(id);
    sums.set(stage, (sums.get(stage) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  sums.delete('idle');
  return [...sums].map(([stage, us]) => ({ stage, us })).sort((a, b) => b.us - a.us);
}

function inherited(stage: string): string {
  return stage === 'idle' ? 'node itself' : stage;
}
