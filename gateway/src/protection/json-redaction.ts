/**
 * Redacts valid JSON text: walks it with the path at hand and replaces only the spans of secret values, so everything
 * else (number spelling, blanks, duplicate keys) stays byte for byte and the result is valid JSON again. Strings that
 * hold JSON themselves are walked too. Part of the redaction point; the caller has checked the text with JSON.parse.
 */
import { isCount } from './assignment-scan.ts';
import { JsonText } from './json-text.ts';
import type { NameSensitivity } from './sensitive-names.ts';
import { REDACTED } from './text-redaction.ts';
import type { TextRedactor } from './text-redaction.ts';

/** Deeper JSON is not walked: the caller drops the body. Far above any real message. */
const DEEPEST = 100;
/** JSON in a string in JSON in a string … */
const DEEPEST_EMBEDDED = 4;

export interface RedactedJson {
  readonly text: string;
  /** JSON paths; `#` leads into JSON inside a string: `$.result.content[0].text#$.password` */
  readonly paths: readonly string[];
}

/** Thrown when it cannot be sure that nothing secret is left. Carries no payload. */
class UnsureOfRedaction extends Error {}

/** Members that name what their sibling `value` is: `{"name":"password","value":"…"}`. */
const NAMING_KEYS = new Set('name key header variable var field param parameter property label option k'.split(' '));
const VALUE_KEYS = new Set(['value', 'values', 'val', 'v']);

/** Maps from a property's name to its JSON Schema. */
const SCHEMA_MAPS = new Set(['properties', '$defs', 'definitions', 'patternProperties']);

/** What a JSON Schema says about a property called `password` is no password. */
const SCHEMA_KEYWORDS = new Set(
  (
    'type title description format minLength maxLength minimum maximum pattern $ref writeOnly readOnly nullable ' +
    'deprecated anyOf oneOf allOf items required additionalProperties minItems maxItems uniqueItems $comment'
  ).split(' ')
);

interface Path {
  readonly parent: Path | undefined;
  readonly step: string | number;
}

interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly by: string;
  readonly paths: readonly string[];
}

/** What stands around a value and bears on whether it is a secret. */
interface Surroundings {
  readonly path: Path | undefined;
  readonly depth: number;
  /** this object lists the properties of a JSON Schema */
  readonly schemaProperties: boolean;
  /** inside the schema of a property with a sensitive name: only schema keywords stay */
  readonly schemaOfSecret: boolean;
  /** a pair inside an array of pairs: `[["Authorization","…"]]` */
  readonly inArray: boolean;
}

/**
 * @param text valid JSON
 * @returns undefined when nothing had to be replaced
 * @throws UnsureOfRedaction
 */
export function redactJson(text: string, redactor: TextRedactor): RedactedJson | undefined {
  return redactEmbedded(text, redactor, 0);
}

function redactEmbedded(text: string, redactor: TextRedactor, embedding: number): RedactedJson | undefined {
  return new JsonWalk(text, redactor, embedding).run();
}

class JsonWalk {
  readonly #json: JsonText;
  readonly #redactor: TextRedactor;
  readonly #embedding: number;
  /** in the order of the text, none overlapping */
  readonly #replacements: Replacement[] = [];

  constructor(text: string, redactor: TextRedactor, embedding: number) {
    this.#json = new JsonText(text);
    this.#redactor = redactor;
    this.#embedding = embedding;
  }

  run(): RedactedJson | undefined {
    const start = { path: undefined, depth: 0, schemaProperties: false, schemaOfSecret: false, inArray: false };
    this.#value(this.#json.skipBlanks(0), start);
    if (this.#replacements.length === 0) return undefined;
    let text = '';
    let copiedTo = 0;
    const paths: string[] = [];
    for (const one of this.#replacements) {
      text += this.#json.text.slice(copiedTo, one.from) + one.by;
      copiedTo = one.to;
      // No spread: a large body may have more paths than a call may have arguments.
      for (const path of one.paths) paths.push(path);
    }
    return { text: text + this.#json.text.slice(copiedTo), paths };
  }

  /** @returns the position behind the value */
  #value(at: number, around: Surroundings): number {
    if (around.depth > DEEPEST) throw new UnsureOfRedaction('nested too deeply');
    switch (this.#json.code(at)) {
      case 0x7b:
        return this.#object(at, around);
      case 0x5b:
        return this.#array(at, around);
      case 0x22:
        return this.#string(at, around.path);
      default:
        return this.#scalar(at, around.path);
    }
  }

  #object(at: number, around: Surroundings): number {
    let namesSecret = false;
    let valueSpan: { from: number; to: number; path: Path; replacements: number } | undefined;
    let next = this.#json.skipBlanks(at + 1);
    while (this.#json.code(next) !== 0x7d) {
      const keyEnd = this.#json.stringEnd(next);
      const key = this.#json.string(next, keyEnd);
      const path = this.#keyPath(next, keyEnd, key, around.path);
      const from = this.#json.valueStart(keyEnd);
      const replacements = this.#replacements.length;
      const to = this.#member(from, key, path, around);
      const role = key.length <= 9 ? key.toLowerCase() : '';
      if (NAMING_KEYS.has(role)) namesSecret ||= this.#namesSecret(from, to);
      else if (VALUE_KEYS.has(role)) valueSpan = { from, to, path, replacements };
      next = this.#json.nextItem(to);
    }
    if (namesSecret && valueSpan !== undefined) this.#replaceEarlier(valueSpan);
    return next + 1;
  }

  #member(from: number, key: string, path: Path, around: Surroundings): number {
    const isObject = this.#json.code(from) === 0x7b;
    const inside = {
      path,
      depth: around.depth + 1,
      schemaProperties: false,
      schemaOfSecret: around.schemaOfSecret,
      inArray: false,
    };
    const sensitivity = this.#redactor.names.key(key);
    if (around.schemaProperties && isObject) {
      return this.#value(from, { ...inside, schemaOfSecret: around.schemaOfSecret || sensitivity !== 'no' });
    }
    if (isObject && SCHEMA_MAPS.has(key)) return this.#value(from, { ...inside, schemaProperties: true });
    if (around.schemaOfSecret && !SCHEMA_KEYWORDS.has(key)) return this.#hide(from, path, 'yes');
    return sensitivity === 'no' ? this.#value(from, inside) : this.#hide(from, path, sensitivity);
  }

  /** `"name": "db_password"` */
  #namesSecret(at: number, end: number): boolean {
    const isShortString = this.#json.code(at) === 0x22 && end - at <= 98;
    return isShortString && this.#redactor.names.key(this.#json.string(at, end)) !== 'no';
  }

  #array(at: number, around: Surroundings): number {
    let index = 0;
    let announced: 'no' | 'pair' | 'flag' = 'no';
    let next = this.#json.skipBlanks(at + 1);
    while (this.#json.code(next) !== 0x5d) {
      const path: Path = { parent: around.path, step: index };
      const isString = this.#json.code(next) === 0x22;
      let to: number;
      if (announced === 'pair' || (announced === 'flag' && isString && this.#json.text[next + 1] !== '-')) {
        to = this.#hide(next, path, 'yes');
        announced = 'no';
      } else {
        to = this.#value(next, { ...around, path, depth: around.depth + 1, schemaProperties: false, inArray: true });
        announced = isString ? this.#announces(this.#json.string(next, to), around.inArray && index === 0) : 'no';
      }
      index++;
      next = this.#json.nextItem(to);
    }
    return next + 1;
  }

  /** `["--password","…"]` and `[["password","…"]]`: this element says that the next one is a secret. */
  #announces(element: string, firstOfPair: boolean): 'no' | 'pair' | 'flag' {
    if (element.length > 96) return 'no';
    if (/^--?[A-Za-z][\w-]*$/.test(element)) return this.#redactor.names.key(element) === 'no' ? 'no' : 'flag';
    return firstOfPair && this.#redactor.names.key(element) !== 'no' ? 'pair' : 'no';
  }

  #string(at: number, path: Path | undefined): number {
    const end = this.#json.stringEnd(at);
    const raw = this.#json.text.slice(at + 1, end - 1);
    const value = raw.includes('\\') ? this.#json.string(at, end) : raw;
    const embedded = this.#embedded(value);
    if (embedded === 'unsure') this.#replace(at, end, REDACTED, [pathText(path)]);
    else if (embedded === 'no') {
      const redacted = this.#redactor.redact(value);
      if (redacted !== undefined) this.#replace(at, end, redacted.text, [pathText(path)]);
    } else if (embedded !== undefined) {
      const paths = embedded.paths.map((one) => `${pathText(path)}#${one}`);
      this.#replace(at, end, embedded.text, paths);
    }
    return end;
  }

  /**
   * A string that is JSON itself is redacted as JSON, one that only looks like it by text rules.
   * @returns undefined for JSON with nothing to hide, `no` for no JSON, `unsure` for JSON in JSON in JSON without end
   */
  #embedded(value: string): RedactedJson | 'no' | 'unsure' | undefined {
    if (!/^\s*[[{"]/.test(value)) return 'no';
    try {
      JSON.parse(value);
    } catch {
      return 'no';
    }
    if (this.#embedding >= DEEPEST_EMBEDDED) return 'unsure';
    return redactEmbedded(value, this.#redactor, this.#embedding + 1);
  }

  #replace(from: number, to: number, by: string, paths: readonly string[]): void {
    this.#replacements.push({ from, to, by: JSON.stringify(by), paths });
  }

  #scalar(at: number, path: Path | undefined): number {
    const end = this.#json.scalarEnd(at);
    if (end - at >= 13) {
      const redacted = this.#redactor.redactShapes(this.#json.text.slice(at, end));
      if (redacted !== undefined) this.#replace(at, end, redacted.text, [pathText(path)]);
    }
    return end;
  }

  /** Replaces a whole value whatever it is; true, false, null and empty strings say nothing and stay. */
  #hide(at: number, path: Path, sensitivity: NameSensitivity): number {
    const end = this.#json.valueEnd(at);
    const first = this.#json.code(at);
    const isEmpty = end - at === 2 && (first === 0x22 || first === 0x7b || first === 0x5b);
    const isWord = first === 0x74 || first === 0x66 || first === 0x6e;
    const written = first === 0x22 ? this.#json.text.slice(at + 1, end - 1) : this.#json.text.slice(at, end);
    if (isEmpty || isWord || (sensitivity === 'unless-count' && isCount(written))) return end;
    this.#replace(at, end, REDACTED, [pathText(path)]);
    return end;
  }

  #replaceEarlier(value: { from: number; to: number; path: Path; replacements: number }): void {
    const later = this.#replacements.splice(value.replacements);
    this.#hide(value.from, value.path, 'yes');
    for (const one of later) if (one.from >= value.to) this.#replacements.push(one);
  }

  /** The path of a member; a key that is itself a secret is replaced, in the path too. */
  #keyPath(at: number, end: number, key: string, parent: Path | undefined): Path {
    const redacted = key.length < 12 ? undefined : this.#redactor.redact(key);
    if (redacted === undefined) return { parent, step: key };
    const path = { parent, step: redacted.text };
    this.#replace(at, end, redacted.text, [pathText(path)]);
    return path;
  }
}

function pathText(path: Path | undefined): string {
  const steps: string[] = [];
  for (let one = path; one !== undefined; one = one.parent) {
    if (typeof one.step === 'number') steps.push(`[${one.step}]`);
    else steps.push(/^[A-Za-z_$][\w$]*$/.test(one.step) ? `.${one.step}` : `[${JSON.stringify(one.step)}]`);
  }
  return `$${steps.reverse().join('')}`;
}
