/**
 * The logs of Gatelens itself: one JSON line an event on stderr. Takes an event name and flat fields only, so that no
 * payload, token or error text of an upstream slips in by accident; an Error is logged by class and code.
 */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export const silentLogger: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** @param write takes one finished line, newline included */
export function createLogger(write: (line: string) => void, now: () => Date = () => new Date()): Logger {
  const log =
    (level: string) =>
    (event: string, fields: LogFields = {}): void => {
      write(`${JSON.stringify({ time: now().toISOString(), level, event, ...fields })}\n`);
    };
  return { info: log('info'), warn: log('warn'), error: log('error') };
}
