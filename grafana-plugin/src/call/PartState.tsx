/** Why one direction of a payload has nothing to show, although the reader may open it. */
import { Alert } from '@grafana/ui';
import type { PayloadPart } from '../data/contract.ts';

const SAID: Readonly<Record<Exclude<PayloadPart['state'], 'opened'>, string>> = {
  none: 'Nothing was kept for this direction: none passed, or the capture mode keeps none.',
  missing: 'It was recorded, but is not in the store: not delivered yet, or removed.',
  key_destroyed: 'The data key of this person was destroyed. Nobody can open it any more.',
  key_unavailable: 'The key that opens it is not configured at the audit API.',
  damaged: 'It is not what was recorded, or does not open. Verify the log.',
  expired: 'It is older than the retention of payloads.',
};

export function PartState({ state }: { readonly state: keyof typeof SAID }) {
  return (
    <Alert severity={state === 'damaged' ? 'error' : 'info'} title="Nothing to show">
      {SAID[state]}
    </Alert>
  );
}
