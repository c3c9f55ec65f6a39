/**
 * Serves one stdio server of `mcpServers`: a child process for each MCP session, and one that all clients share for
 * requests without sessions (2026-07-28, stdio-stateless.ts). Says how children are started; sessions are
 * session-bridge.ts's.
 */
import type { Logger } from '../../logger.ts';
import { SessionBridge, SESSION_REVISIONS } from './session-bridge.ts';
import { CallerBackoffs, StartBackoff } from './stdio-backoff.ts';
import { childChannel } from './stdio-channel.ts';
import type { ChildOptions } from './stdio-child.ts';
import { createStdioCounters } from './stdio-counters.ts';
import { childEnvironment, type Environment } from './stdio-environment.ts';
import { startTimedOut } from './stdio-failure.ts';
import { DEFAULT_STDIO_LIMITS, type StdioLimits } from './stdio-limits.ts';
import { StatelessServer } from './stdio-stateless.ts';
import type { InjectMeta } from '../trace-splice.ts';

export interface StdioBridgeOptions {
  /** key in `mcpServers` */
  readonly server: string;
  readonly command: string;
  readonly args?: readonly string[];
  /** `env` of the entry */
  readonly env?: Environment;
  readonly cwd?: string;
  /** the gateway's own environment; the child gets only INHERITED_VARIABLES of it */
  readonly inheritedEnv: Environment;
  readonly limits?: Partial<StdioLimits>;
  /** whether requests carry the trace context to the child, see trace-splice.ts; default `always` */
  readonly injectMeta?: InjectMeta;
  /** default `discard`; `inherit` may show payload on the gateway's stderr */
  readonly stderr?: ChildOptions['stderr'];
  readonly logger: Logger;
}

export class StdioBridge extends SessionBridge {
  constructor(options: StdioBridgeOptions) {
    const { server, logger, stderr = 'discard', injectMeta = 'always', cwd } = options;
    const limits = { ...DEFAULT_STDIO_LIMITS, ...options.limits };
    const counters = createStdioCounters();
    const command = {
      command: options.command,
      args: options.args ?? [],
      env: childEnvironment(options.inheritedEnv, options.env ?? {}),
      ...(cwd === undefined ? {} : { cwd }),
    };
    super({
      kind: 'stdio',
      server,
      at: { upstreamTransport: 'stdio' },
      open: childChannel({ ...limits, maxLineBytes: limits.maxMessageBytes, stderr, server, command, counters }),
      stateless: new StatelessServer({
        server,
        command,
        stderr,
        injectMeta,
        limits,
        counters,
        logger,
        sessionRevisions: SESSION_REVISIONS,
      }),
      limits,
      counters,
      injectMeta,
      logger,
      notStarted: `The MCP server "${server}" could not be started. Check "command", "args" and "cwd" of mcpServers.${server} in the gateway's configuration.`,
      silent: startTimedOut(server, limits.startTimeoutMs),
      backoffs: new CallerBackoffs(() => new StartBackoff(() => performance.now())),
    });
  }
}
