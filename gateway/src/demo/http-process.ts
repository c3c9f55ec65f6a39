/**
 * Starts the sample server over HTTP as a process and ends it. It gets nothing of our environment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { GatelensError } from '../errors.ts';
import { HTTP_PROGRAM, NODE_FLAGS } from './sample-programs.ts';

export interface HttpServerProcess {
  /** its MCP endpoint */
  readonly url: string;
  close(): Promise<void>;
}

const helloSchema = z.object({ url: z.url() });
const END_MS = 2000;

/** @throws GatelensError `internal` when it ends before it listens */
export async function startHttpServer(nodePath: string): Promise<HttpServerProcess> {
  const child = spawn(nodePath, [...NODE_FLAGS, HTTP_PROGRAM], { stdio: ['pipe', 'pipe', 'ignore'], env: {} });
  // Writing to a process that is gone already is no news.
  child.stdin.on('error', () => undefined);
  const exited = once(child, 'exit');
  exited.catch(() => undefined);
  const hello = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;
  const first = await Promise.race([hello, exited.then(() => undefined)]).catch((): undefined => undefined);
  if (first === undefined) {
    throw new GatelensError(
      'internal',
      'The sample server over HTTP did not start. Run npm install with development dependencies, then try again.'
    );
  }
  return {
    url: helloSchema.parse(JSON.parse(first[0])).url,
    close: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await exited;
      clearTimeout(timer);
    },
  };
}
