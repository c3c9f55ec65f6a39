/** Watches what upstream servers offer: in front of the recording observer, on the gateway's own chain. */
import type { GatelensConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { CallObserver } from '../mcp/observer.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import { createToolChangeRecorder } from '../telemetry/tool-change-recorder.ts';
import { readToolLists, writeToolLists } from '../tool-drift/tool-list-file.ts';
import { ToolListObserver } from '../tool-drift/tool-list-observer.ts';
import { ToolWatch } from '../tool-drift/tool-watch.ts';
import type { Recorder } from './recorder.ts';

export function watchToolLists(
  inner: CallObserver,
  options: {
    readonly config: GatelensConfig;
    readonly pseudonyms: Pseudonyms;
    readonly recorder: Recorder;
    readonly logger: Logger;
  }
): CallObserver {
  const { config, pseudonyms, recorder, logger } = options;
  const servers = readToolLists(config.dataDir);
  return new ToolListObserver({
    inner,
    watch: new ToolWatch({
      // a digest of the plain text would be an oracle for it
      hash: (text) => pseudonyms.hash('plaintext', text),
      nowMs: () => Date.now(),
      ...(servers === undefined ? {} : { servers }),
    }),
    recorder: createToolChangeRecorder({ telemetry: recorder.telemetry }),
    save: (known) => writeToolLists(config.dataDir, known),
    logger,
  });
}
