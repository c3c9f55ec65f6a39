/**
 * What the main thread of a page did: the length of its tasks, by the clock and in processor time. The latter does not
 * grow when other processes take the processor away. From Chromium's own trace.
 */
import type { Browser, Page } from 'playwright-core';

export interface Task {
  readonly wallMs: number;
  readonly cpuMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** µs */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline'];

export async function tasksOf(browser: Browser, page: Page, work: () => Promise<void>): Promise<readonly Task[]> {
  await browser.startTracing(page, { categories: CATEGORIES });
  let trace: Buffer;
  try {
    await work();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: readonly TraceEvent[] };
  const threads = traceEvents
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => traceEvents.filter((one) => one.name === 'RunTask' && one.pid === pid && one.tid === tid));
  // other pages of the browser do nothing meanwhile
  const [busiest = []] = threads.sort((a, b) => b.length - a.length);
  return busiest.map(({ dur = 0, tdur = 0 }) => ({ wallMs: dur / 1000, cpuMs: tdur / 1000 }));
}

export function longest(tasks: readonly Task[], by: keyof Task): number {
  return tasks.reduce((most, task) => Math.max(most, task[by]), 0);
}
