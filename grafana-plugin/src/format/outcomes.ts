/**
 * How outcomes look: a word, a shape and a colour each, so that none of them depends on colour alone. The set is the
 * contract's; a new outcome does not compile until it is here. Denied and cancelled are no errors and not red.
 */
import type { GrafanaTheme2 } from '@grafana/data';
import type { Call } from '../data/contract.ts';

/** `open`: a stream that still runs, null in a call. */
export type Outcome = NonNullable<Call['outcome']> | 'open';

interface OutcomeLook {
  readonly label: string;
  /** strokes of the shape on a grid of 24 */
  readonly shape: string;
  /** name in Grafana's visualization palette */
  readonly color: string;
}

const CIRCLE = 'M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18z';

export const OUTCOMES: Readonly<Record<Outcome, OutcomeLook>> = {
  success: { label: 'success', shape: `${CIRCLE}M8 12l3 3 5-6`, color: 'green' },
  tool_error: { label: 'tool error', shape: 'M12 4 2.5 20h19zM12 10v4M12 17v.01', color: 'orange' },
  rpc_error: { label: 'RPC error', shape: `${CIRCLE}M9 9l6 6M15 9l-6 6`, color: 'red' },
  denied: { label: 'denied', shape: `${CIRCLE}M6 6l12 12`, color: 'purple' },
  timeout: { label: 'timeout', shape: `${CIRCLE}M12 7v5H8`, color: 'yellow' },
  cancelled: { label: 'cancelled', shape: `${CIRCLE}M8 12h8`, color: 'super-light-purple' },
  upstream_unreachable: {
    label: 'unreachable',
    shape: 'M7 18a4 4 0 0 1 0-8 6 6 0 0 1 11 0 4 4 0 0 1 0 8M12 12v4M12 19v.01',
    color: 'dark-red',
  },
  interrupted: { label: 'interrupted', shape: 'M13 3 5 14h6l-1 7 8-11h-6z', color: 'dark-orange' },
  open: {
    label: 'open',
    shape: 'M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5',
    color: 'blue',
  },
};

/** Bottom to top in a stacked chart, and the order of its legend. */
export const OUTCOME_ORDER = Object.keys(OUTCOMES) as Outcome[];

export function outcomeOf(call: Pick<Call, 'outcome'>): Outcome {
  return call.outcome ?? 'open';
}

export function isOutcome(value: string): value is Outcome {
  return Object.hasOwn(OUTCOMES, value);
}

export function outcomeColor(theme: GrafanaTheme2, outcome: Outcome): string {
  return theme.visualization.getColorByName(OUTCOMES[outcome].color);
}
