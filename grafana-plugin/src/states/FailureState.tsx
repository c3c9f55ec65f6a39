/**
 * What is shown in place of data when a request failed: refused, with who can help, or broken, with a way to try again.
 * The words come from whoever refused.
 */
import { Alert, Button } from '@grafana/ui';
import { toApiFailure } from '../data/api-failure.ts';
import { LIMIT_WORDS } from './limit-words.ts';

interface FailureStateProps {
  /** what did not work, e.g. `The calls could not be read` */
  readonly title: string;
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** Where the audit API’s words are meant for those who come with a token. */
const WORDS: Readonly<Record<string, string>> = {
  anonymous: 'Sign in to Grafana. Who is not signed in sees no calls.',
  expired_token: 'Your sign-in has grown old. Load the page again.',
};

/** What whoever refused says, and which limit it was. */
export function failureText(error: unknown): string {
  const { kind, reason = '', message, limit } = toApiFailure(error);
  if (kind === 'refused') return WORDS[reason] ?? message;
  return limit === undefined ? message : `${message} Nothing is shown in part: ${LIMIT_WORDS[limit]}.`;
}

export function FailureState({ title, error, onRetry }: FailureStateProps) {
  const { kind, limit } = toApiFailure(error);
  if (kind === 'refused') {
    return (
      <Alert severity="info" title="This is not yours to see">
        {failureText(error)}
      </Alert>
    );
  }
  return (
    <Alert severity={kind === 'invalid' || limit !== undefined ? 'warning' : 'error'} title={title}>
      <p>{failureText(error)}</p>
      {onRetry !== undefined && (
        <Button size="sm" variant="secondary" icon="sync" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
