/**
 * How outcomes look: a word, a shape and a colour each, so that none of them depends on colour alone. The set is the
 * contract's; a new outcome does not compile until it is here. Denied and cancelled are no errors and not red.
 */
import type { GrafanaTheme2, IconName } from '@grafana/data';
import type { Call } from '../data/contract.ts';

/** `open`: a stream that still runs, null in a call. */
export type Outcome = NonNullable<Call['outcome']> | 'open';

interface OutcomeLook {
  readonly label: string;
  readonly icon: IconName;
  /** name in Grafana's visualization palette */
  readonly color: string;
}

export const OUTCOMES: Readonly<Record<Outcome, OutcomeLook>> = {
  success: { label: 'success', icon: 'check-circle', color: 'green' },
  tool_error: { label: 'tool error', icon: 'exclamation-triangle', color: 'orange' },
  rpc_error: { label: 'RPC error', icon: 'times-circle', color: 'red' },
  denied: { label: 'denied', icon: 'ban', color: 'purple' },
  timeout: { label: 'timeout', icon: 'clock-nine', color: 'yellow' },
  cancelled: { label: 'cancelled', icon: 'minus-circle', color: 'super-light-purple' },
  upstream_unreachable: { label: 'unreachable', icon: 'cloud-exclamation', color: 'dark-red' },
  interrupted: { label: 'interrupted', icon: 'bolt', color: 'dark-orange' },
  open: { label: 'open', icon: 'sync', color: 'blue' },
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
