/** Numbers as Grafana writes them, with its own formatters. */
import { formattedValueToString, getValueFormat } from '@grafana/data';

const milliseconds = getValueFormat('ms');
const bytes = getValueFormat('decbytes');
const short = getValueFormat('short');
const percent = getValueFormat('percentunit');

export function formatDuration(ms: number): string {
  return formattedValueToString(milliseconds(ms, ms < 10 && !Number.isInteger(ms) ? 1 : undefined));
}

export function formatBytes(value: number): string {
  return formattedValueToString(bytes(value, value < 1000 ? 0 : 1));
}

/** Every digit: `12,481`. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US');
}

/** For tiles and axes: `12.5 K`. */
export function formatShort(value: number): string {
  return formattedValueToString(short(value, value < 1000 ? undefined : 1));
}

/** Of a share from 0 to 1. */
export function formatShare(value: number): string {
  return formattedValueToString(percent(value, value !== 0 && value < 0.1 ? 1 : 0));
}

/** @returns e.g. `calls` for 0 and 2, `call` for 1 */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
