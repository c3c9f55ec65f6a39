/**
 * What every process under measurement has in common: it tells its port once it listens, answers questions about its
 * CPU time, and profiles itself on request. The benchmark talks to it over IPC, so nothing is measured through the
 * socket that carries the load.
 */
import { Session } from 'node:inspector/promises';
import type { AddressInfo, Server } from 'node:net';

export type Question = 'cpu' | 'profile-start' | 'profile-stop' | 'stop';

export interface CpuAnswer {
  /** user + system, microseconds */
  readonly cpuUs: number;
  readonly rssBytes: number;
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: number[];
}

export interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const session = new Session();

export async function serveChild(server: Server, stop: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  if (!server.listening) {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  }
  answerQuestions((server.address() as AddressInfo).port, stop);
}

export function answerQuestions(port: number, stop: () => Promise<void>): void {
  process.on('message', (question: Question) => {
    void answer(question, stop).then((reply) => process.send?.(reply));
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port });
}

async function answer(question: Question, stop: () => Promise<void>): Promise<unknown> {
  switch (question) {
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return { cpuUs: user + system, rssBytes: process.memoryUsage.rss() } satisfies CpuAnswer;
    }
    case 'profile-start':
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 200 });
      await session.post('Profiler.start');
      return {};
    case 'profile-stop': {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      return profile;
    }
    case 'stop':
      await stop();
      setImmediate(() => process.exit(0));
      return {};
  }
}
