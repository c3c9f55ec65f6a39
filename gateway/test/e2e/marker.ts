/**
 * Markers, and finding them wherever they could have ended up: in the clear, in every encoding that text takes on its
 * way, inside compressed bytes, and inside the column files of ClickHouse. All markers of a run begin alike, so one
 * search finds any of them; what follows names the place where it was planted.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { unpacked } from './unpacked.ts';

export interface Finding {
  readonly where: string;
  /** name of the marker, or the text around it when it was cut */
  readonly marker: string;
  readonly encoding: string;
}

interface Encoding {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Base64 of a text inside a longer one: the three ways it can lie on the groups of three bytes. */
function base64Forms(text: string): Encoding[] {
  return [0, 1, 2].flatMap((lead) => {
    const whole = Buffer.from(`${'\0'.repeat(lead)}${text}`).toString('base64');
    // the first characters depend on what stands before, the last on what follows
    const from = lead === 0 ? 0 : lead + 1;
    const to = Math.floor(((lead + text.length) * 8) / 6);
    const inner = whole.slice(from, to);
    const forms = new Set([inner, inner.replaceAll('+', '-').replaceAll('/', '_')]);
    return [...forms].map((form) => ({ name: `base64 at ${lead}`, bytes: Buffer.from(form) }));
  });
}

function encodingsOf(text: string): Encoding[] {
  const utf16 = Buffer.from(text, 'utf16le');
  const hex = Buffer.from(text).toString('hex');
  const each = (form: (code: string) => string): Buffer =>
    Buffer.from([...Buffer.from(text)].map((byte) => form(byte.toString(16).padStart(2, '0'))).join(''));
  return [
    { name: 'plain', bytes: Buffer.from(text) },
    { name: 'upper case', bytes: Buffer.from(text.toUpperCase()) },
    ...base64Forms(text),
    { name: 'hex', bytes: Buffer.from(hex) },
    { name: 'HEX', bytes: Buffer.from(hex.toUpperCase()) },
    { name: 'UTF-16LE', bytes: utf16 },
    { name: 'UTF-16BE', bytes: Buffer.from(utf16).swap16() },
    { name: 'percent-encoded', bytes: each((code) => `%${code}`) },
    { name: 'PERCENT-ENCODED', bytes: each((code) => `%${code.toUpperCase()}`) },
    { name: 'JSON escapes', bytes: each((code) => `\\u00${code}`) },
    { name: 'reversed', bytes: Buffer.from(text).reverse() },
  ];
}

export class Markers {
  /** begins every marker; letters and digits, so that no escaping changes it */
  readonly prefix: string;
  /** names, longest first, with all their forms */
  #planted: { readonly name: string; readonly forms: readonly Encoding[] }[] = [];
  readonly #prefixForms: readonly Encoding[];

  constructor(prefix = `mk${randomBytes(8).toString('hex')}`) {
    this.prefix = prefix;
    this.#prefixForms = encodingsOf(prefix);
  }

  /** @param place letters only, e.g. `Argument` */
  of(place: string): string {
    const text = `${this.prefix}${place}`;
    if (!this.#planted.some(({ name }) => name === place)) {
      this.#planted.push({ name: place, forms: encodingsOf(text) });
      this.#planted.sort((a, b) => b.name.length - a.name.length);
    }
    return text;
  }

  /** Every marker in these bytes and in whatever is packed inside them. */
  find(bytes: Buffer | string, where: string): Finding[] {
    const findings: Finding[] = [];
    for (const [how, layer] of unpacked(Buffer.from(bytes))) {
      for (const { name, bytes: form } of this.#prefixForms) {
        for (let at = layer.indexOf(form); at >= 0; at = layer.indexOf(form, at + form.length)) {
          findings.push({ where, marker: this.#nameAt(layer, at, name), encoding: `${name}${how}` });
        }
      }
    }
    return unique(findings);
  }

  findInFiles(directory: string): Finding[] {
    return filesIn(directory).flatMap((file) => {
      const where = relative(directory, file);
      const inName = this.find(where, `name of ${where}`);
      return [...inName, ...this.find(readQuietly(file), where)];
    });
  }

  /** @returns the longest known name there, since one may begin another */
  #nameAt(bytes: Buffer, at: number, encoding: string): string {
    const known = this.#planted.find(({ forms }) =>
      forms.some((form) => form.name === encoding && bytes.subarray(at, at + form.bytes.length).equals(form.bytes))
    );
    return known?.name ?? `? ${bytes.subarray(at, at + 60).toString('latin1')}`;
  }
}

function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((one) => [JSON.stringify(one), one])).values()];
}

export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

/** A file that went away meanwhile (the engine merges) is empty. */
function readQuietly(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
