/**
 * `kill -HUP`: reads the configuration again and hands it to the running service. A configuration with mistakes, or one
 * that takes a restart, is said and changes nothing.
 */
import type { GatelensConfig } from '../config.ts';
import type { Gatelens } from '../main.ts';
import type { CliContext } from './context.ts';
import { failureOf } from './failure.ts';

/**
 * Listens from now on, since a signal that nobody listens to ends the process.
 * @param read the configuration as it is now
 * @returns call it with the service once it runs
 */
export function reloadRequests(context: CliContext, read: () => GatelensConfig): (service: Gatelens) => void {
  let running: Gatelens | undefined;
  context.onReload?.(() => {
    if (running === undefined) context.note('Not reloaded: still starting.');
    else void reload(running, read, context);
  });
  return (service) => {
    running = service;
  };
}

async function reload(service: Gatelens, read: () => GatelensConfig, context: CliContext): Promise<void> {
  try {
    const changed = await service.reload(read());
    context.note(changed.length === 0 ? 'Reloaded: nothing has changed.' : `Reloaded: ${changed.join(', ')}.`);
  } catch (error) {
    context.note(`Not reloaded, everything goes on as before. ${failureOf(error).text}`);
  }
}
