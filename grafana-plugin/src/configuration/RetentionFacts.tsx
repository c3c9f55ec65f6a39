/** How long what is kept, as it is in force, and the legal holds that keep it longer. */
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
      {status.holds.length > 0 && (
        <>
          <p>On legal hold: no call, payload or access record is removed until every hold is released.</p>
          <ul>
            {status.holds.map(({ id, reason, setBy, setAt, covers, server }) => (
              <li key={id}>
                {id}: {reason}, by {setBy} since {setAt.slice(0, 10)}; about {covers}
                {server === null ? '' : ` on ${server}`}
              </li>
            ))}
          </ul>
        </>
      )}
      <p>{KEPT.map(([key, label]) => `${label}: ${plural(status.retentionDays[key], 'day')}`).join(' · ')}</p>
    </Section>
  );
}
