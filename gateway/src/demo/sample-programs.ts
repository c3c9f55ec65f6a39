/**
 * The two sample servers of our own, as programs that Node runs: one that misbehaves on demand, and the reference server
 * "everything" over HTTP. Only names and paths; whoever needs one starts it.
 */
import { fileURLToPath } from 'node:url';

/** Name in its answer to `initialize`, by which the demo knows that a running gateway has the sample servers. */
export const FLAKY_SERVER_NAME = 'gatelens-sample-flaky';

export const FLAKY_PROGRAM = fileURLToPath(new URL('./flaky-server.ts', import.meta.url));
export const HTTP_PROGRAM = fileURLToPath(new URL('./http-server.ts', import.meta.url));

/** Node 22 warns of what it does with TypeScript. */
export const NODE_FLAGS: readonly string[] = ['--disable-warning=ExperimentalWarning'];
