/**
 * What happened on one day of the made-up past: sessions by office hours, nights and weekends, with tool errors, denials,
 * calls given up, and now and then an outage or a slow afternoon. Pure: a day always comes out the same.
 */
import type { CallEnd, CallStart } from '../../mcp/observer.ts';
import { CONTRACTORS, type Person } from '../people.ts';
import { createRandom, type Random } from './random.ts';
import { HABITS, NIGHTLY, SERVERS, type Habit, type HistoryServer, type Operation } from './world.ts';

export interface PlannedCall {
  readonly startMs: number;
  readonly durationMs: number;
  readonly person: Person;
  readonly address: string;
  readonly server: HistoryServer;
  readonly sessionId: string;
  readonly kind: Extract<CallStart['kind'], 'request' | 'notification' | 'attempt'>;
  readonly method: string;
  /** omitted for notifications */
  readonly rpcId?: number;
  /** what a session opens with has none */
  readonly operation?: Operation;
  readonly outcome: CallEnd['outcome'];
  /** decides what the bodies say, and how long they are */
  readonly bodySeed: string;
  readonly answerBytes: number;
}

/** Goes up when the plan changes, so that nobody takes two histories for one. */
const SEED = 'gatelens history 1';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TIMEOUT_MS = 60_000;
const CANCELLED_SHARE = 0.006;
const RPC_ERROR_SHARE = 0.005;

/** How busy the hours of an office day are, from 07:00. */
const OFFICE_HOURS = [1, 4, 9, 11, 10, 5, 7, 10, 10, 8, 5, 2, 1].map((weight, index) => ({ weight, hour: 7 + index }));
/** Sunday first. */
const WEEKDAYS = [0.05, 0.95, 1.1, 1.1, 1, 0.75, 0.08];

/** Something that went wrong at a server for a while. */
interface Incident {
  readonly server: HistoryServer;
  readonly fromMs: number;
  readonly toMs: number;
  /** calls take so many times as long; Infinity: the server is gone */
  readonly slower: number;
}

/** @param day `2026-11-24`, in UTC @returns in the order in which the calls began */
export function planDay(day: string): readonly PlannedCall[] {
  const random = createRandom(`${SEED} ${day}`);
  const midnightMs = Date.parse(`${day}T00:00:00Z`);
  const busyness = WEEKDAYS[new Date(midnightMs).getUTCDay()] ?? 1;
  const incidents = incidentsOf(random, midnightMs, busyness);
  const calls: PlannedCall[] = [];
  for (const habit of HABITS) {
    for (let left = random.poisson(habit.sessions * busyness); left > 0; left--) {
      const { hour } = random.weighted(OFFICE_HOURS);
      const startMs = midnightMs + (hour - habit.utcOffset + random.next()) * HOUR_MS;
      calls.push(...planSession({ random, habit, startMs, incidents }));
    }
  }
  calls.push(...planSession({ random, habit: NIGHTLY, startMs: midnightMs + 2 * HOUR_MS + 4000, incidents }));
  const inDay = calls.filter(({ startMs }) => startMs >= midnightMs && startMs < midnightMs + DAY_MS);
  return inDay.sort((a, b) => a.startMs - b.startMs);
}

function incidentsOf(random: Random, midnightMs: number, busyness: number): Incident[] {
  const incidents: Incident[] = [];
  const during = (server: HistoryServer, minutes: number, slower: number): void => {
    const fromMs = midnightMs + random.between(8, 16) * HOUR_MS + random.between(0, 59) * 60_000;
    incidents.push({ server, fromMs, toMs: fromMs + minutes * 60_000, slower });
  };
  if (busyness > 0.5 && random.chance(0.25)) {
    during(random.pick([SERVERS.tickets, SERVERS.docs]), random.between(25, 90), Infinity);
  }
  if (busyness > 0.5 && random.chance(0.2)) during(SERVERS.warehouse, random.between(60, 180), random.between(6, 20));
  return incidents;
}

interface Session {
  readonly random: Random;
  readonly habit: Habit;
  readonly startMs: number;
  readonly incidents: readonly Incident[];
}

function planSession(session: Session): PlannedCall[] {
  const { random, habit } = session;
  const { server } = random.weighted(habit.servers);
  const sessionId = `${habit.person.key}-${Math.floor(session.startMs).toString(36)}-${random.between(0, 0xffffff).toString(16)}`;
  const calls: PlannedCall[] = [];
  let nowMs = session.startMs;
  let rpcId = 0;
  const push = (
    call: Omit<PlannedCall, 'person' | 'address' | 'server' | 'sessionId' | 'startMs' | 'bodySeed'>
  ): void => {
    const bodySeed = `${sessionId} ${calls.length}`;
    calls.push({ ...call, person: habit.person, address: habit.address, server, sessionId, startMs: nowMs, bodySeed });
    nowMs += call.durationMs;
  };

  // A client that cannot start its session tries again for a while, then gives up.
  for (let tries = random.between(4, 12); isGone(session.incidents, server, nowMs); tries--) {
    if (tries === 0) return calls;
    const durationMs = 3 + random.next() * 20;
    push({ kind: 'request', method: 'initialize', rpcId, durationMs, outcome: 'upstream_unreachable', answerBytes: 0 });
    nowMs += random.lognormal(20_000, 0.7);
  }
  for (const method of ['initialize', 'notifications/initialized', 'tools/list'] as const) {
    const isNotification = method === 'notifications/initialized';
    const startsProgram = server.transport === 'stdio' && method === 'initialize';
    push({
      kind: isNotification ? 'notification' : 'request',
      method,
      durationMs: random.lognormal(isNotification ? 1.5 : startsProgram ? 240 : 9, 0.4),
      ...(isNotification ? {} : { rpcId: rpcId++ }),
      outcome: 'success',
      answerBytes: 900,
    });
    nowMs += random.between(2, 30);
  }
  for (let left = 1 + random.poisson(habit.calls - 1); left > 0; left--) {
    const operation = random.weighted(server.operations);
    push({ ...planCall(session, server, operation, nowMs), method: operation.method, rpcId: rpcId++, operation });
    nowMs += random.lognormal(habit.thinkSeconds * 1000, 0.9);
  }
  return calls;
}

function planCall(
  { random, habit, incidents }: Session,
  server: HistoryServer,
  operation: Operation,
  nowMs: number
): Pick<PlannedCall, 'kind' | 'outcome' | 'durationMs' | 'answerBytes'> {
  const answerBytes = Math.min(40_000, Math.round(random.lognormal(operation.medianBytes, 0.7)));
  const durationMs = random.lognormal(operation.medianMs, 0.55) * slowness(incidents, server, nowMs) + 0.6;
  const luck = random.next();
  const request = { kind: 'request', answerBytes, durationMs } as const;
  if (operation.writes === true && habit.person.teams.includes(CONTRACTORS)) {
    return { kind: 'attempt', outcome: 'denied', durationMs: 0.4 + luck, answerBytes };
  }
  if (isGone(incidents, server, nowMs))
    return { ...request, outcome: 'upstream_unreachable', durationMs: 3 + luck * 20 };
  if (durationMs >= TIMEOUT_MS) return { ...request, outcome: 'timeout', durationMs: TIMEOUT_MS + luck };
  if (luck < CANCELLED_SHARE) return { ...request, outcome: 'cancelled', durationMs: durationMs / 2 };
  if (luck < CANCELLED_SHARE + RPC_ERROR_SHARE) return { ...request, outcome: 'rpc_error', durationMs: 2 + luck };
  const isToolError = operation.method === 'tools/call' && random.chance(operation.errorRate);
  return { ...request, outcome: isToolError ? 'tool_error' : 'success' };
}

function isGone(incidents: readonly Incident[], server: HistoryServer, atMs: number): boolean {
  return slowness(incidents, server, atMs) === Infinity;
}

function slowness(incidents: readonly Incident[], server: HistoryServer, atMs: number): number {
  return incidents.find((one) => one.server === server && atMs >= one.fromMs && atMs < one.toMs)?.slower ?? 1;
}
