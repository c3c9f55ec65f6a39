/** How long what is kept, as it is in force. */
import type { Status } from '../data/contract.ts';
import { plural } from '../format/numbers.ts';
import { Section } from './Section.tsx';

const KEPT = [
  ['metadata', 'Calls'],
  ['payloads', 'Payloads'],
  ['accessLog', 'Access log'],
  ['usage', 'Usage figures'],
  ['traces', 'Traces'],
] as const;

export function RetentionFacts({ status }: { readonly status: Status }) {
  return (
    <Section title="Retention" about="In force now; changed in gatelens.yaml.">
      <p>{KEPT.map(([key, label]) => `${label}: ${plural(status.retentionDays[key], 'day')}`).join(' · ')}</p>
    </Section>
  );
}
