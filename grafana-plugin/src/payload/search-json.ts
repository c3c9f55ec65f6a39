/** Finds text in the keys and values of a JSON value, in slices, up to a number of finds. */
import { isRecord, type Json, type JsonPlace } from './json.ts';
import { MAX_FINDS, type Finds } from './usePayloadSearch.ts';
import type { Slices } from './slices.ts';

/** values between two looks at the clock */
const VALUES_PER_LOOK = 500;

/** @returns undefined when it was aborted */
export async function searchJson(root: Json, text: string, slices: Slices): Promise<Finds<JsonPlace> | undefined> {
  const wanted = text.toLowerCase();
  const found: JsonPlace[] = [];
  const waiting: JsonPlace[] = [{ value: root, step: undefined, parent: undefined }];
  let looked = 0;
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (matches(place, wanted)) found.push(place);
    if (found.length >= MAX_FINDS) return { found, isCut: true };
    looked += pushChildren(place, waiting);
    if (looked < VALUES_PER_LOOK) continue;
    looked = 0;
    if (!(await slices.goOn())) return undefined;
  }
  return { found, isCut: false };
}

function matches({ value, step }: JsonPlace, wanted: string): boolean {
  if (typeof step === 'string' && step.toLowerCase().includes(wanted)) return true;
  return (typeof value !== 'object' || value === null) && String(value).toLowerCase().includes(wanted);
}

/** In reverse, so that the first child is looked at first. @returns how many, and one for the value itself */
function pushChildren(place: JsonPlace, waiting: JsonPlace[]): number {
  const { value } = place;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    for (let index = items.length - 1; index >= 0; index--) {
      waiting.push({ value: items[index] ?? null, step: index, parent: place });
    }
    return items.length + 1;
  }
  if (!isRecord(value)) return 1;
  const keys = Object.keys(value).reverse();
  for (const key of keys) waiting.push({ value: value[key] ?? null, step: key, parent: place });
  return keys.length + 1;
}
