/**
 * What went wrong with a request, in the words of whoever refused it: the audit API where it answered, else the plugin
 * proxy. Pages decide by `kind` which state they show.
 */
import { isFetchError } from '@grafana/runtime';
import type { ApiErrorBody } from './contract.ts';

/** `unconfigured`: no address or no secret yet; `unreachable`: nobody answers there; `refused`: 401 and 403. */
type FailureKind = 'refused' | 'not_found' | 'conflict' | 'invalid' | 'timeout' | 'unreachable' | 'failed';

export class ApiFailure extends Error {
  readonly kind: FailureKind;
  readonly status: number;
  /** as the access log keeps it, e.g. `not_auditor` */
  readonly reason: string | undefined;
  /** of one query, that was reached: there is no answer in part */
  readonly limit: ApiErrorBody['error']['limit'];

  constructor(
    kind: FailureKind,
    status: number,
    message: string,
    { reason, limit }: Partial<Pick<ApiErrorBody['error'], 'reason' | 'limit'>> = {}
  ) {
    super(message);
    this.name = 'ApiFailure';
    this.kind = kind;
    this.status = status;
    this.reason = reason;
    this.limit = limit;
  }
}

const UNREACHABLE = 'The audit API did not answer. An admin can test the connection on the Configuration page.';

export function toApiFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  if (!isFetchError<unknown>(error)) return new ApiFailure('unreachable', 0, UNREACHABLE);
  const { status, data } = error;
  if (!isErrorBody(data)) {
    // An answer of the proxy itself: no audit API behind it, or a route that this user may not take.
    const kind = kindOf(status);
    return new ApiFailure(kind === 'failed' ? 'unreachable' : kind, status, proxyMessage(status));
  }
  const { message, fields } = data.error;
  const details = fields?.map(({ field, message: problem }) => `${field}: ${problem}`).join('; ');
  return new ApiFailure(kindOf(status), status, details === undefined ? message : `${message} ${details}`, data.error);
}

function kindOf(status: number): FailureKind {
  if (status === 401 || status === 403) return 'refused';
  if (status === 404) return 'not_found';
  if (status === 409) return 'conflict';
  if (status === 400 || status === 422) return 'invalid';
  if (status === 504) return 'timeout';
  return status === 502 || status === 0 ? 'unreachable' : 'failed';
}

function proxyMessage(status: number): string {
  if (status === 401) return 'Sign in to Grafana first.';
  if (status === 403) return 'Grafana does not let you use this plugin.';
  return UNREACHABLE;
}

function isErrorBody(data: unknown): data is ApiErrorBody {
  if (typeof data !== 'object' || data === null || !('error' in data)) return false;
  const { error } = data;
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';
}
