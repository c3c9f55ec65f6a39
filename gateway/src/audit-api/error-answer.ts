/**
 * Turns everything that goes wrong into the one error shape of the contract. The last stop before the wire: what is not
 * an ApiError becomes a plain `internal` whose cause goes nowhere but, by class and code, into our own log.
 */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from '@hono/zod-openapi';
import type { Logger } from '../logger.ts';
import { API_ERROR_STATUS } from './contract/errors.ts';
import type { ApiErrorBody } from './contract.ts';
import type { FieldProblem } from './api-error.ts';
import { ApiError } from './api-error.ts';

function errorBody(error: ApiError): ApiErrorBody {
  const { code, message, reason, fields, limit } = error;
  return {
    error: {
      code,
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(limit === undefined ? {} : { limit }),
      ...(fields === undefined ? {} : { fields: fields.map((one) => ({ ...one })) }),
    },
  };
}

export function answerError(c: Context, error: unknown, logger: Logger): Response {
  const known = error instanceof ApiError ? error : (unreadable(error) ?? internal(error, logger));
  if (known.code === 'unauthenticated') c.header('WWW-Authenticate', 'Bearer realm="gatelens audit API"');
  return c.json(errorBody(known), API_ERROR_STATUS[known.code]);
}

/** What Hono says of a body that is no JSON. */
function unreadable(error: unknown): ApiError | undefined {
  if (!(error instanceof HTTPException) || error.status !== 400) return undefined;
  return new ApiError('invalid_request', 'The body is no JSON. Send one with `Content-Type: application/json`.');
}

function internal(error: unknown, logger: Logger): ApiError {
  logger.error('audit_api_failed', { class: error instanceof Error ? error.constructor.name : typeof error });
  return new ApiError('internal', 'The audit API failed. Its log has the class of the error.');
}

const NAME = /^[A-Za-z0-9_.-]{1,40}$/;

/** From zod's issues to fields with remedies; values and unknown names that a caller sent are not repeated. */
export function invalidRequest(error: z.core.$ZodError): ApiError {
  const fields = error.issues.flatMap(problemsOf).slice(0, 20);
  const message = fields.map(({ field, message: remedy }) => `${field}: ${remedy}`).join('; ');
  return new ApiError('invalid_request', message, { fields });
}

function problemsOf(issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: NAME.test(key) ? key : '(unreadable)',
      message: 'no such parameter; the names are in /api/v1/openapi.json',
    }));
  }
  return [{ field: String(issue.path[0] ?? 'query'), message: issue.message }];
}
