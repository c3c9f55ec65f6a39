/**
 * The log of a Gatelens that the demo started: only errors while the demo shows its progress (it makes trouble on
 * purpose), everything once it just runs.
 */
import { createLogger, type Logger } from '../logger.ts';
import type { CliContext } from './context.ts';

export interface DemoLogger {
  readonly logger: Logger;
  /** From now on everything is logged. */
  readonly speak: () => void;
}

export function createDemoLogger({ log, now }: Pick<CliContext, 'log' | 'now'>): DemoLogger {
  const all = createLogger(log, now);
  let quiet = true;
  return {
    logger: {
      info: (event, fields) => {
        if (!quiet) all.info(event, fields);
      },
      warn: (event, fields) => {
        if (!quiet) all.warn(event, fields);
      },
      error: (event, fields) => all.error(event, fields),
    },
    speak: () => {
      quiet = false;
    },
  };
}
