/**
 * How the program ends, for scripts: one number a kind of trouble. Documented in `gatelens --help`; numbers never change
 * their meaning.
 */
import type { ErrorCode } from '../errors.ts';

export const EXIT = { ok: 0, failure: 1, usage: 2, configuration: 3, dataDirectory: 4, store: 5 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_ERROR: Partial<Record<ErrorCode, ExitCode>> = {
  config_invalid: EXIT.configuration,
  key_unknown: EXIT.configuration,
  data_dir_unusable: EXIT.dataDirectory,
  data_dir_locked: EXIT.dataDirectory,
  spool_corrupt: EXIT.dataDirectory,
  spool_full: EXIT.dataDirectory,
  audit_unavailable: EXIT.dataDirectory,
  store_unavailable: EXIT.store,
  engine_missing: EXIT.store,
  migration_failed: EXIT.store,
};

export function exitCodeOf(code: ErrorCode): ExitCode {
  return BY_ERROR[code] ?? EXIT.failure;
}
