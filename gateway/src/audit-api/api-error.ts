/**
 * A refusal or failure inside the audit API, on its way to the one place that answers (audit-api/error-answer.ts).
 * Messages tell what to do next and hold nothing that a caller sent, nothing from the store.
 */
import type { AccessReason } from '../record/access.ts';
import type { QueryLimit } from '../store/queries/reader.ts';
import type { ApiErrorCode } from './contract.ts';

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly reason?: AccessReason;
  readonly fields?: readonly FieldProblem[];
  /** at which limit of a query */
  readonly limit?: QueryLimit;

  constructor(
    code: ApiErrorCode,
    message: string,
    options: { reason?: AccessReason; fields?: readonly FieldProblem[]; limit?: QueryLimit; cause?: unknown } = {}
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'ApiError';
    this.code = code;
    if (options.reason !== undefined) this.reason = options.reason;
    if (options.fields !== undefined) this.fields = options.fields;
    if (options.limit !== undefined) this.limit = options.limit;
  }
}

export function badParameter(field: string, message: string): ApiError {
  return new ApiError('invalid_request', `${field}: ${message}`, { fields: [{ field, message }] });
}

/** The same for a call that does not exist and one that is not the caller's to see. */
export function callNotFound(): ApiError {
  return new ApiError('not_found', 'No such call, or it is not yours to see. Take the id from /api/v1/calls.');
}

export function sessionNotFound(): ApiError {
  return new ApiError('not_found', 'No such session, or it is not yours to see. Take the key from /api/v1/sessions.');
}
