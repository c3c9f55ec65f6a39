/**
 * Headers of a request as far as a record keeps them, where not all are worth it: those of a stranger who was refused, and
 * those of a batch, which came once for all its messages. What is cut or left out is named as such.
 */
import type { HeaderList } from './observer.ts';

export interface KeptHeaders {
  /** names and values together */
  readonly bytes: number;
  /** of one value */
  readonly valueChars: number;
}

/** Of messages behind the first of a batch: the usual headers are kept whole. */
const IN_BATCH: KeptHeaders = { bytes: 2048, valueChars: 256 };

/** No name of a header can look like this. */
const LEFT_OUT = '(left out)';

/** @param hint where the rest is */
export function keptHeaders(headers: HeaderList, most: KeptHeaders, hint = ''): HeaderList {
  const kept: (readonly [string, string])[] = [];
  let bytes = 0;
  let [cut, left, leftBytes] = [0, 0, 0];
  for (const [name, value] of headers) {
    const size = name.length + Math.min(value.length, most.valueChars);
    if (bytes + size > most.bytes) {
      left += 1;
      leftBytes += name.length + value.length;
      continue;
    }
    bytes += size;
    if (value.length <= most.valueChars) {
      kept.push([name, value]);
      continue;
    }
    cut += 1;
    kept.push([name, `${value.slice(0, most.valueChars)}… (${value.length} characters)`]);
  }
  if (left === 0 && cut === 0) return headers;
  if (left > 0 || hint !== '') kept.push([LEFT_OUT, `${left} headers of ${leftBytes} bytes${hint}`]);
  return kept;
}

/** @param firstCallId the record of the first message of the batch, which has all of them */
export function headersInBatch(headers: HeaderList, firstCallId: string): HeaderList {
  return keptHeaders(headers, IN_BATCH, `; all are whole in call ${firstCallId}`);
}
