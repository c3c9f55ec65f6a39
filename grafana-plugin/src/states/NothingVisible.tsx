/** Shown to somebody who sees no calls at all: why, in the audit API's own words, and who can help. */
import { EmptyState, TextLink } from '@grafana/ui';
import type { Me } from '../data/contract.ts';

export function NothingVisible({ me }: { readonly me: Me }) {
  return (
    <EmptyState variant="not-found" message="You see no calls here">
      {me.explanation.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <p>
        A Grafana admin can match you to your calls on the{' '}
        <TextLink href="/plugins/gatelens-mcpaudit-app" inline>
          Configuration page
        </TextLink>
        .
      </p>
    </EmptyState>
  );
}
