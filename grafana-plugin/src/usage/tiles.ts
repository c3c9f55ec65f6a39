/** The tiles as data: what they say, how it changed, where they lead. */
import type { UsageSummary } from '../data/contract.ts';
import { formatMoney } from '../format/money.ts';
import { formatDuration, formatShare, formatShort } from '../format/numbers.ts';
import type { LinkTo } from './useUsageState.ts';

export interface Tile {
  readonly label: string;
  readonly value: string;
  readonly href: string;
  readonly change: TileChange | undefined;
}

interface TileChange {
  readonly direction: 'up' | 'down' | 'same';
  readonly text: string;
  readonly before: string;
  /** more errors, longer answers */
  readonly isWorse: boolean;
}

type Totals = UsageSummary['totals'];

const ERROR_OUTCOMES = ['tool_error', 'rpc_error', 'timeout', 'upstream_unreachable', 'interrupted'];
/** below it a change is rounding */
const LEAST_CHANGE = 0.005;

interface Measure {
  readonly label: string;
  readonly read: (totals: Totals) => number | null;
  readonly format: (value: number) => string;
  readonly href: string;
  readonly upIsWorse?: boolean;
  /** differences of shares are points, not shares of shares */
  readonly inPoints?: boolean;
}

/** Without a summary yet, the tiles stand there with dashes. */
export function tilesOf(summary: UsageSummary | undefined, linkTo: LinkTo, isOwn: boolean): readonly Tile[] {
  const currency = summary?.currency;
  const failed = new URLSearchParams(ERROR_OUTCOMES.map((outcome) => ['outcome', outcome]));
  const measures: readonly Measure[] = [
    { label: 'Calls', read: ({ calls }) => calls, format: formatShort, href: linkTo() },
    {
      label: 'Error rate',
      read: ({ calls, errorRate }) => (calls === 0 ? null : errorRate),
      format: formatShare,
      href: `${linkTo()}&${failed.toString()}`,
      upIsWorse: true,
      inPoints: true,
    },
    { label: 'p95 duration', read: ({ p95Ms }) => p95Ms, format: formatDuration, href: linkTo(), upIsWorse: true },
    isOwn
      ? { label: 'Servers used', read: ({ servers }) => servers, format: formatShort, href: linkTo() }
      : { label: 'Active users', read: ({ users }) => users, format: formatShort, href: linkTo() },
    { label: 'Est. tokens', read: ({ tokensEstimated }) => tokensEstimated, format: formatShort, href: linkTo() },
    ...(currency === undefined
      ? []
      : [
          {
            label: 'Est. cost',
            read: ({ cost }: Totals) => cost ?? null,
            format: (value: number) => formatMoney(value, currency),
            href: linkTo(),
          },
        ]),
  ];
  return measures.map((measure) => tileOf(measure, summary?.totals, summary?.previous ?? undefined));
}

function tileOf(measure: Measure, totals: Totals | undefined, previous: Totals | undefined): Tile {
  const { label, read, format, href } = measure;
  const now = totals === undefined ? null : read(totals);
  const before = previous === undefined || previous.calls === 0 ? null : read(previous);
  return {
    label,
    href,
    value: now === null ? '–' : format(now),
    change: now === null || before === null ? undefined : changeOf(measure, now, before),
  };
}

function changeOf({ format, upIsWorse = false, inPoints = false }: Measure, now: number, before: number): TileChange {
  const relative = before === 0 ? (now === 0 ? 0 : 1) : (now - before) / before;
  const change = inPoints ? now - before : relative;
  const direction = Math.abs(change) < LEAST_CHANGE ? 'same' : change > 0 ? 'up' : 'down';
  return {
    direction,
    text: direction === 'same' ? 'unchanged' : inPoints ? pointsText(change) : shareText(relative),
    before: format(before),
    isWorse: upIsWorse && direction === 'up',
  };
}

function pointsText(change: number): string {
  return `${(Math.abs(change) * 100).toFixed(1)} pt`;
}

function shareText(share: number): string {
  const percent = Math.abs(share) * 100;
  return percent >= 1000 ? '>999%' : `${percent.toFixed(0)}%`;
}
