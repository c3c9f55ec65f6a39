/**
 * The value types of the configuration: durations, sizes, addresses, URLs, secrets. Each is a codec: text as a person
 * writes it on one side, a number or object on the other, so that the effective configuration can be printed again.
 * Messages here say what to write; they never repeat what was written, since it may be a secret in the wrong place.
 */
import * as z from 'zod';
import { formatHostPort, parseHostPort, type HostPort } from '../access/address.ts';
import { NAME_PATTERN } from '../access/names.ts';

/** milliseconds */
export type DurationMs = number;
/** bytes */
export type ByteSize = number;

/** What a setting means for people; read by the documentation, the JSON Schema, remedies and redaction. */
export interface SettingMeta {
  readonly description: string;
  readonly example?: string;
  /** shown as `(hidden)` wherever configuration is printed */
  readonly secret?: boolean;
}

const DURATION_UNITS_MS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** @returns undefined when the text is no duration */
export function parseDuration(text: string): DurationMs | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,3})?)\s?(ms|s|m|h|d|w|y)$/.exec(text.trim());
  if (match === null) return undefined;
  const [, amount = '', unit = ''] = match;
  const unitMs = unit === 'w' ? 7 * 86_400_000 : unit === 'y' ? 365 * 86_400_000 : unitOf(unit);
  return Math.round(Number(amount) * unitMs);
}

function unitOf(unit: string): number {
  return DURATION_UNITS_MS.find(([name]) => name === unit)?.[1] ?? 1;
}

function formatDuration(durationMs: DurationMs): string {
  const [unit, unitMs] = DURATION_UNITS_MS.find(([, ms]) => durationMs % ms === 0) ?? ['ms', 1];
  return durationMs === 0 ? '0s' : `${durationMs / unitMs}${unit}`;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** @returns undefined when it is no size */
function parseSize(value: string | number): ByteSize | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s?([A-Za-z]{1,3})?$/.exec(value.trim());
  const unit = match === null ? undefined : SIZE_UNITS[match[2] ?? 'B'];
  if (match === null || unit === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function fail(ctx: z.core.ParsePayload, message: string): never {
  ctx.issues.push({ code: 'custom', message, input: ctx.value });
  return z.NEVER;
}

/** @param atLeastMs the smallest value that makes sense */
export function duration(meta: SettingMeta, atLeastMs: DurationMs = 1) {
  return z
    .codec(z.string(), z.number(), {
      decode: (text, ctx) => {
        const durationMs = parseDuration(text);
        if (durationMs === undefined)
          return fail(ctx, 'is no duration; write a number and a unit, e.g. `30s`, `15m`, `90d`');
        if (durationMs < atLeastMs) return fail(ctx, `is too short; the least is \`${formatDuration(atLeastMs)}\``);
        return durationMs;
      },
      encode: formatDuration,
    })
    .meta({ ...meta, format: 'duration' });
}

export function size(meta: SettingMeta, atLeastBytes: ByteSize = 0) {
  return z
    .codec(z.union([z.number(), z.string()]), z.number(), {
      decode: (value, ctx) => {
        const bytes = parseSize(value);
        if (bytes === undefined)
          return fail(ctx, 'is no size; write bytes, or a number and a unit, e.g. `256KiB`, `4MiB`');
        if (bytes < atLeastBytes) return fail(ctx, `is too small; the least is ${atLeastBytes} bytes`);
        return bytes;
      },
      encode: (bytes) => bytes,
    })
    .meta({ ...meta, format: 'size' });
}

export function hostPort(meta: SettingMeta) {
  return z
    .codec(z.string(), z.custom<HostPort>(), {
      decode: (text, ctx) =>
        parseHostPort(text) ??
        fail(
          ctx,
          'is no address; write `host:port`, e.g. `127.0.0.1:8080`, `[::1]:8080`, or `0.0.0.0:8080` for every interface'
        ),
      encode: formatHostPort,
    })
    .meta({ ...meta, format: 'host:port' });
}

/** An http(s) URL without credentials in it; kept as text, without a trailing slash. */
export function httpUrl(meta: SettingMeta) {
  return z
    .string()
    .superRefine((text, ctx) => {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
        ctx.addIssue('is no http or https URL; write it whole, e.g. `https://mcp.example.com/mcp`');
      } else if (url.username !== '' || url.password !== '') {
        ctx.addIssue('holds a user name or password; put credentials into their own setting, as `${NAME}`');
      }
    })
    .meta({ ...meta, format: 'url' });
}

export function text(meta: SettingMeta) {
  return z
    .string()
    .trim()
    .min(1, 'is empty')
    .meta({ ...meta });
}

/** Kept exactly as written: never trimmed, never printed. */
export function secret(meta: SettingMeta, atLeastCharacters = 1) {
  return z
    .string()
    .min(
      atLeastCharacters,
      atLeastCharacters === 1 ? 'is empty' : `is too short for a secret; ${atLeastCharacters} characters at least`
    )
    .meta({ ...meta, secret: true });
}

/** Names of servers, keys, tokens: safe in URLs, logs and metadata. */
export function name(meta: SettingMeta) {
  return z
    .string()
    .regex(NAME_PATTERN, 'is no name; letters, digits, `.`, `_` and `-`, at most 64, beginning with a letter or digit')
    .meta({ ...meta });
}

export function sha256Hex(meta: SettingMeta) {
  return z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is no SHA-256; 64 hex digits in lower case, as printed when the key is made')
    .meta({ ...meta });
}
