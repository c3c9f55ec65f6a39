/**
 * What a process started, and what that started, by /proc: so that a test can see whether anything outlived its parent,
 * and can end it by its id. A pid counts only together with its start time, since pids are given out again. Elsewhere
 * than on Linux nothing is found.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessId {
  readonly pid: number;
  /** clock ticks between boot and its start */
  readonly startTicks: string;
}

interface Stat extends ProcessId {
  readonly parent: number;
  readonly state: string;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0] ?? '', parent: Number(fields[1]), startTicks: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function allProcesses(): Stat[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => statOf(Number(name)))
      .filter((stat) => stat !== undefined);
  } catch {
    return [];
  }
}

/** Children, grandchildren and so on, the process itself left out. */
export function descendantsOf(pid: number): ProcessId[] {
  const all = allProcesses();
  const found: ProcessId[] = [];
  const parents = [pid];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const one of all) {
      if (one.parent !== parent) continue;
      found.push({ pid: one.pid, startTicks: one.startTicks });
      parents.push(one.pid);
    }
  }
  return found;
}

export function isAlive({ pid, startTicks }: ProcessId): boolean {
  const now = statOf(pid);
  return now?.startTicks === startTicks && now.state !== 'Z';
}

/** kill -9 of those that are still the same process. */
export function killAll(processes: readonly ProcessId[]): void {
  for (const one of processes) {
    if (!isAlive(one)) continue;
    try {
      process.kill(one.pid, 'SIGKILL');
    } catch {
      // it has just ended
    }
  }
}
