/**
 * What verification can find, one closed set, and what each means in words. A finding names the chain, the position and,
 * where it is known, the call; it never repeats what a record holds.
 */
export type FindingKind =
  /** its link is there, the record is not; or a position of the chain has neither */
  | 'missing'
  /** not the content, hash or time that its link stands for */
  | 'changed'
  /** it stands at another position than it was recorded at */
  | 'reordered'
  /** a position with two links: two histories of one chain */
  | 'forked'
  /** a record that no chain knows */
  | 'added'
  /** the link before it is missing, so it cannot be recomputed */
  | 'unlinked'
  /** a signature that its key did not make */
  | 'checkpoint_forged'
  /** signed by a key that is not at hand */
  | 'checkpoint_key_unknown'
  /** a signed position has another hash now: the chain was rewritten */
  | 'checkpoint_contradicted'
  /** more records came after the newest valid checkpoint than a gateway leaves unsigned */
  | 'unsigned';

export interface Finding {
  readonly kind: FindingKind;
  readonly chainId: string;
  readonly seq: bigint;
  /** last position of a range; left out: one position */
  readonly toSeq?: bigint;
  /** left out where only the position is known */
  readonly callId?: string;
  /** `reordered`: where it was recorded */
  readonly recordedAt?: bigint;
  /** `forked`: every call that stands there */
  readonly callIds?: readonly string[];
}

const MEANING: Readonly<Record<FindingKind, string>> = {
  missing: 'the record is gone',
  changed: 'its content, or the link before it, is not what was recorded',
  reordered: 'it was recorded at another position',
  forked: 'two records claim this position',
  added: 'no chain knows this record',
  unlinked: 'the link before it is missing, so it cannot be checked',
  checkpoint_forged: 'the signature of this checkpoint is not valid',
  checkpoint_key_unknown: 'this checkpoint is signed by a key that is not here; give its public half with --public-key',
  checkpoint_contradicted: 'another hash was signed for this position: the chain was rewritten',
  unsigned: 'the records from here on have no valid checkpoint',
};

export function meaningOf(finding: Finding): string {
  if (finding.kind === 'reordered' && finding.recordedAt !== undefined) {
    return `it was recorded at position ${finding.recordedAt}`;
  }
  return MEANING[finding.kind];
}

/** Keeps the first findings, counts all. */
export class Findings {
  readonly counts = new Map<FindingKind, number>();
  readonly #list: Finding[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param count when it stands for more than itself */
  add(finding: Finding, count = 1): void {
    this.#count(finding.kind, count);
    if (this.#list.length < this.#limit) this.#list.push(finding);
  }

  /** More of a kind than there are examples. */
  addUnnamed(kind: FindingKind, count: number): void {
    if (count > 0) this.#count(kind, count);
  }

  /**
   * The findings by chain and position. Two that are one become one: a position that lacks its record and has one that
   * nobody recorded was changed beyond recognition; a missing link whose record is there is named by that record.
   */
  settled(): Finding[] {
    const gone = new Map<string, Finding>();
    const added = new Set<string>();
    for (const one of this.#list) {
      if (one.kind === 'missing' && one.toSeq === undefined) gone.set(placeOf(one), one);
      if (one.kind === 'added') added.add(placeOf(one));
    }
    const shown: Finding[] = [];
    for (const one of this.#list) {
      const twin = gone.get(placeOf(one));
      if (one === twin && added.has(placeOf(one))) {
        this.#count('missing', -1);
      } else if (one.kind === 'added' && twin?.callId !== undefined) {
        this.#count('added', -1);
        this.#count('changed', 1);
        shown.push({ ...one, kind: 'changed', callId: twin.callId });
      } else {
        shown.push(one);
      }
    }
    return shown.sort(byPlace);
  }

  #count(kind: FindingKind, count: number): void {
    const sum = (this.counts.get(kind) ?? 0) + count;
    if (sum === 0) this.counts.delete(kind);
    else this.counts.set(kind, sum);
  }
}

function placeOf({ chainId, seq }: Finding): string {
  return `${chainId}|${seq}`;
}

function byPlace(a: Finding, b: Finding): number {
  if (a.chainId !== b.chainId) return a.chainId < b.chainId ? -1 : 1;
  return a.seq === b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}
