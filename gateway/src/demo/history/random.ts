/**
 * Chance that repeats itself: the same seed gives the same history on every machine. Not for secrets.
 */
export interface Random {
  /** 0 up to, not including, 1 */
  next(): number;
  /** whole number, both ends included */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  /** of at least one */
  pick<T>(items: readonly T[]): T;
  /** with a chance in proportion to `weight` */
  weighted<T extends { readonly weight: number }>(items: readonly T[]): T;
  /** @param median half of all values lie below @param spread 0: always the median; 0.5: a tenth is twice as long */
  lognormal(median: number, spread: number): number;
  /** how often something with this mean happens */
  poisson(mean: number): number;
}

export function createRandom(seed: string): Random {
  const next = mulberry32(seedOf(seed));
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => present(items[Math.floor(next() * items.length)]),
    weighted: (items) => {
      let left = next() * items.reduce((sum, { weight }) => sum + weight, 0);
      return present(items.find(({ weight }) => (left -= weight) < 0) ?? items.at(-1));
    },
    lognormal: (median, spread) => median * Math.exp(spread * normal()),
    poisson: (mean) => {
      const limit = Math.exp(-mean);
      let product = next();
      let count = 0;
      while (product > limit) {
        product *= next();
        count += 1;
      }
      return count;
    },
  };
}

function present<T>(item: T | undefined): T {
  if (item === undefined) throw new TypeError('nothing to choose from');
  return item;
}

/** 32 bits of a text (FNV-1a). */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
