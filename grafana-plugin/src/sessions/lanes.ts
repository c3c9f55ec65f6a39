/** Calls of a session as bars in lanes: a lane for each server, requests of servers half a lane under their call. */
import type { Call } from '../data/contract.ts';
import { toMs } from '../format/times.ts';

export interface LaneBar {
  readonly call: Call;
  readonly startMs: number;
  readonly endMs: number;
  /** runs under another call of this session */
  readonly isNested: boolean;
}

export interface Lane {
  readonly server: string;
  readonly bars: readonly LaneBar[];
}

/** In the order in which the servers were first called. */
export function lanesOf(calls: readonly Call[]): readonly Lane[] {
  const ids = new Set(calls.map(({ id }) => id));
  const lanes = new Map<string, LaneBar[]>();
  for (const call of calls) {
    // streams span everything and would hide what happened
    if (call.kind === 'stream') continue;
    const startMs = toMs(call.startedAt);
    const bar = {
      call,
      startMs,
      endMs: startMs + call.durationMs,
      isNested: call.parentId !== null && ids.has(call.parentId),
    };
    const lane = lanes.get(call.server);
    if (lane === undefined) lanes.set(call.server, [bar]);
    else lane.push(bar);
  }
  return [...lanes].map(([server, bars]) => ({ server, bars }));
}
