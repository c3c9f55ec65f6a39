/** CPU time and memory of other processes, from /proc: Linux only. Reads, and nothing else. */
import { readFileSync } from 'node:fs';

/** USER_HZ, which is 100 wherever Node runs on Linux */
const TICKS_A_SECOND = 100;

/** user and system time of all its threads so far */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the name in brackets may have blanks; utime and stime are the 14th and 15th field
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND) * 1000;
}

/** the most it ever had in memory */
export function peakMegabytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
}
