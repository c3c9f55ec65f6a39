/**
 * Attributes of the spans or events of every call, by position in a fixed list of names instead of by name: no object
 * with forty keys is built, hashed and walked for each span of each call. What the record needs (OTLP bytes, canonical
 * form, metrics) is read by position; everybody else gets them by name.
 */

export type AttributeValue = string | number | boolean | readonly string[];
export type AttributeObject = Record<string, string | number | boolean | string[]>;

const KEY_TAG = 0x0a;

/** The names of one kind of span or event, in the order in which they are written. */
export class AttributeNames {
  readonly names: readonly string[];
  /** each name as field 1 of an OTLP KeyValue */
  readonly keys: readonly Uint8Array[];
  /** whether the value is often that of the record before, so that its bytes are worth keeping */
  readonly repeats: readonly boolean[];
  readonly #none: undefined[];

  /** @param repeating names whose values few calls change; at most 127 ASCII characters each, like all names */
  constructor(names: readonly string[], repeating: readonly string[]) {
    this.names = [...new Set(names)];
    this.keys = this.names.map((name) => Uint8Array.from([KEY_TAG, name.length, ...Buffer.from(name)]));
    this.repeats = this.names.map((name) => repeating.includes(name));
    this.#none = this.names.map(() => undefined);
    for (const name of repeating) this.position(name);
  }

  /** For use at load: a name that is not in the list is a bug. */
  position(name: string): number {
    const at = this.names.indexOf(name);
    if (at < 0) throw new TypeError(`no attribute "${name}" here`);
    return at;
  }

  /** @returns a row without attributes */
  row(): AttributeRow {
    return new AttributeRow(this, this.#none.slice());
  }
}

export class AttributeRow {
  readonly of: AttributeNames;
  /** by position; undefined: absent */
  readonly values: (AttributeValue | undefined)[];

  constructor(of: AttributeNames, values: (AttributeValue | undefined)[]) {
    this.of = of;
    this.values = values;
  }

  copy(): AttributeRow {
    return new AttributeRow(this.of, this.values.slice());
  }

  /** Those at the positions, or all, by name. */
  toObject(positions?: readonly number[]): AttributeObject {
    const object: AttributeObject = {};
    for (const at of positions ?? this.values.keys()) {
      const value = this.values[at];
      if (value !== undefined) object[this.of.names[at] ?? ''] = value as string;
    }
    return object;
  }
}

/** Attributes by name, whichever way they are kept. */
export function attributeObject(
  attributes: Readonly<Record<string, unknown>> | AttributeRow
): Readonly<Record<string, unknown>> {
  return attributes instanceof AttributeRow ? attributes.toObject() : attributes;
}
