/**
 * Decides, at arrival of a call, how much of its payload may be kept: per server and per tool, first matching rule
 * wins. Anything it does not understand is captured as `off`: a typing mistake must not store a payload.
 * It knows nothing of users, redaction or encryption.
 */
import { CAPTURE_MODES } from '../record/vocabulary.ts';
import type { CaptureMode } from '../record/vocabulary.ts';
import { LruCache } from './lru-cache.ts';
import type { CaptureDecision, CapturePolicy } from './seams.ts';

export interface CaptureRule {
  /** server name, `*` stands for any run of characters */
  readonly server: string;
  /** tool name, likewise; `*` also covers operations without a tool */
  readonly tool: string;
  readonly mode: CaptureMode;
}

export interface CaptureOptions {
  readonly default: CaptureMode;
  /** cap on captured body bytes a direction */
  readonly maxBytes: number;
  readonly rules: readonly CaptureRule[];
}

const CACHE_ENTRIES = 2048;
/** Longer names are matched each time: a client must not be able to fill the cache with 10 KB names. */
const CACHED_NAME_CHARACTERS = 256;

export function createCapturePolicy(options: CaptureOptions): CapturePolicy {
  const maxBytes = Number.isSafeInteger(options.maxBytes) && options.maxBytes > 0 ? options.maxBytes : 0;
  const decisions = {
    full: { mode: 'full', maxBytes },
    redacted: { mode: 'redacted', maxBytes },
    hash: { mode: 'hash', maxBytes },
    off: { mode: 'off', maxBytes: 0 },
  } as const satisfies Record<CaptureMode, CaptureDecision>;
  const cache = new LruCache<string, CaptureDecision>(CACHE_ENTRIES);

  const match = (server: string, tool: string): CaptureDecision => {
    const rule = options.rules.find((one) => globMatches(one.server, server) && globMatches(one.tool, tool));
    return decisions[knownMode(rule === undefined ? options.default : rule.mode)];
  };

  const everywhere = options.rules.length === 0 ? match('', '') : undefined;

  return {
    decideUnknownTool(server) {
      if (!isString(server)) return decisions.off;
      const modes = options.rules.filter((rule) => globMatches(rule.server, server)).map((rule) => rule.mode);
      const strictest = Math.max(...[options.default, ...modes].map((mode) => CAPTURE_MODES.indexOf(knownMode(mode))));
      return decisions[CAPTURE_MODES[strictest] ?? 'off'];
    },
    decide(server, tool) {
      if (!isString(server) || !isString(tool)) return decisions.off;
      if (everywhere !== undefined) return everywhere;
      if (server.length + tool.length > CACHED_NAME_CHARACTERS) return match(server, tool);
      const key = `${server}\0${tool}`;
      let decision = cache.get(key);
      if (decision === undefined) {
        decision = match(server, tool);
        cache.set(key, decision);
      }
      return decision;
    },
  };
}

function knownMode(mode: unknown): CaptureMode {
  return CAPTURE_MODES.find((one) => one === mode) ?? 'off';
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

/**
 * `*` matches any run of characters, everything else itself. Two pointers instead of a regular expression: a pattern
 * with many stars against a long hostile name stays quadratic at worst, never exponential.
 */
export function globMatches(pattern: string, name: string): boolean {
  if (!isString(pattern)) return false;
  let patternAt = 0;
  let nameAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (nameAt < name.length) {
    const wanted = pattern[patternAt];
    if (wanted === '*') {
      starAt = patternAt++;
      resumeAt = nameAt;
    } else if (wanted === name[nameAt]) {
      patternAt++;
      nameAt++;
    } else if (starAt >= 0) {
      patternAt = starAt + 1;
      nameAt = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === '*') patternAt++;
  return patternAt === pattern.length;
}
