/** A child process as the channel of one session. What ends it, and what may be said of it, is put in words here. */
import type { ChannelListener, OpenChannel, SessionChannel } from './session-channel.ts';
import { StdioChild, type ChildCommand, type ChildExit, type ChildOptions } from './stdio-child.ts';
import type { StdioCounters } from './stdio-counters.ts';
import { failureOfExit } from './stdio-failure.ts';

export interface ChildChannelOptions extends ChildOptions {
  readonly server: string;
  readonly command: ChildCommand;
  readonly counters: StdioCounters;
}

/** The channel throws when the operating system refuses at once, e.g. arguments that are too long. */
export function childChannel(options: ChildChannelOptions): OpenChannel {
  return (listener) => openChild(options, listener);
}

function openChild(options: ChildChannelOptions, listener: ChannelListener): SessionChannel {
  const { server, counters } = options;
  const child: StdioChild = new StdioChild(options.command, options, {
    onLine: (line) => listener.onText(line),
    onExit: (exit) => {
      counters.stderrBytes += child.stderrBytes;
      listener.onEnd({
        event: 'stdio.child_exited',
        fields: { ...exitFields(exit), stderrBytes: child.stderrBytes },
        failure: (starting) => failureOfExit(server, exit, starting),
      });
    },
  });
  counters.childrenStarted += 1;
  return {
    pid: child.pid,
    opened: Promise.resolve(),
    get backlogBytes() {
      return child.backlogBytes;
    },
    send: (json) => child.send(json),
    pause: () => child.pause(),
    resume: () => child.resume(),
    stop: () => child.stop(),
    killNow: () => child.killNow(),
  };
}

function exitFields(exit: ChildExit): Record<string, string | number> {
  return { code: exit.code ?? exit.startError ?? '', signal: exit.signal ?? '' };
}
