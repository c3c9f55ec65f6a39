/**
 * Finds text in the keys and values of a JSON value, in pieces of a few milliseconds so that the page stays alive. Stops
 * at a number of finds that nobody would step through.
 */
import { isRecord, type Json, type JsonStep } from './json.ts';

const MAX_FINDS = 1000;
const SLICE_MS = 8;
/** nodes between two looks at the clock */
const NODES_PER_LOOK = 500;

interface Found {
  readonly paths: readonly (readonly JsonStep[])[];
  readonly isCut: boolean;
}

interface Node {
  readonly value: Json;
  readonly step: JsonStep | undefined;
  readonly parent: Node | undefined;
}

/** @returns undefined when it was aborted */
export async function searchJson(root: Json, text: string, signal: AbortSignal): Promise<Found | undefined> {
  const wanted = text.toLowerCase();
  const paths: JsonStep[][] = [];
  const waiting: Node[] = [{ value: root, step: undefined, parent: undefined }];
  let sliceStart = performance.now();
  let looked = 0;
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (matches(node, wanted)) paths.push(stepsTo(node));
    if (paths.length >= MAX_FINDS) return { paths, isCut: true };
    pushChildren(node, waiting);
    looked += 1;
    if (looked % NODES_PER_LOOK === 0 && performance.now() - sliceStart > SLICE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      if (signal.aborted) return undefined;
      sliceStart = performance.now();
    }
  }
  return { paths, isCut: false };
}

function matches({ value, step }: Node, wanted: string): boolean {
  if (typeof step === 'string' && step.toLowerCase().includes(wanted)) return true;
  return (typeof value !== 'object' || value === null) && String(value).toLowerCase().includes(wanted);
}

/** In reverse, so that the first child is looked at first. */
function pushChildren(node: Node, waiting: Node[]): void {
  const { value } = node;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    for (let index = items.length - 1; index >= 0; index--) {
      waiting.push({ value: items[index] ?? null, step: index, parent: node });
    }
  } else if (isRecord(value)) {
    for (const key of Object.keys(value).reverse())
      waiting.push({ value: value[key] ?? null, step: key, parent: node });
  }
}

function stepsTo(node: Node): JsonStep[] {
  const steps: JsonStep[] = [];
  for (let one: Node | undefined = node; one?.step !== undefined; one = one.parent) steps.push(one.step);
  return steps.reverse();
}
