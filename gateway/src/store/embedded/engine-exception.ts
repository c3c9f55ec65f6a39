/**
 * An exception of the engine, taken apart: `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`. Leaves the process only as the
 * answer to the query that caused it; nothing here logs it.
 */
const PATTERN = /Code: (\d+)\. DB::Exception: ([\s\S]*?)\s*\(([A-Z0-9_]{3,})\)[^()]*$/;

export class EngineException extends Error {
  readonly code: number;
  readonly type: string;
  constructor(code: number, type: string, message: string) {
    super(message);
    this.name = 'EngineException';
    this.code = code;
    this.type = type;
  }

  /** as a ClickHouse server writes it into an answer */
  override toString(): string {
    return `Code: ${this.code}. DB::Exception: ${this.message} (${this.type})`;
  }
}

export function engineException(cause: unknown): EngineException {
  if (cause instanceof EngineException) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const found = PATTERN.exec(text);
  if (found === null) return new EngineException(1002, 'UNKNOWN_EXCEPTION', text.slice(0, 2000));
  const type = found[3] ?? 'UNKNOWN_EXCEPTION';
  // the engine repeats itself: "Code: 164. DB::Exception: Code: 164. DB::Exception: … (READONLY) (version …). (READONLY)"
  const repeated = new RegExp(`(?: \\(${type}\\)(?: \\(version [^)]*\\))?\\.?)+$`);
  const message = (found[2] ?? '').replace(/^(Code: \d+\. DB::Exception: )+/, '').replace(repeated, '');
  return new EngineException(Number(found[1]), type, message);
}

/** HTTP status that a ClickHouse server gives for the commonest codes. */
export function httpStatusOf(code: number): number {
  switch (code) {
    case 62: // SYNTAX_ERROR
    case 36: // BAD_ARGUMENTS
    case 27: // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    case 115: // UNKNOWN_SETTING
    case 456: // UNKNOWN_QUERY_PARAMETER
      return 400;
    case 192: // UNKNOWN_USER
    case 516: // AUTHENTICATION_FAILED
      return 403;
    case 497: // ACCESS_DENIED
    case 164: // READONLY
      return 403;
    case 60: // UNKNOWN_TABLE
    case 81: // UNKNOWN_DATABASE
    case 47: // UNKNOWN_IDENTIFIER
      return 404;
    case 307: // TOO_MANY_BYTES
      return 413;
    case 48: // NOT_IMPLEMENTED
      return 501;
    case 202: // TOO_MANY_SIMULTANEOUS_QUERIES
      return 503;
    default:
      return 500;
  }
}
