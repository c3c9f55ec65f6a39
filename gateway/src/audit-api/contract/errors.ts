/**
 * How the audit API says no: one JSON shape, a closed set of codes, one HTTP status a code. Part of the contract.
 * A message tells what to do next; it never holds SQL, a payload, a token, or a value that the caller sent.
 */
import { z } from '@hono/zod-openapi';

export const API_ERROR_STATUS = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 422,
  limit_reached: 429,
  internal: 500,
  not_recorded: 503,
  store_unavailable: 503,
  timeout: 504,
} as const;
export type ApiErrorCode = keyof typeof API_ERROR_STATUS;

const API_ERROR_CODES = Object.keys(API_ERROR_STATUS) as ApiErrorCode[];

/** Of what one query may take. */
export const QUERY_LIMITS = ['time', 'rows', 'memory'] as const;

const FieldProblem = z
  .object({
    field: z.string().openapi({ description: 'name of the parameter', example: 'limit' }),
    message: z.string().openapi({ description: 'what is wrong and what is accepted' }),
  })
  .openapi('FieldProblem');

export const ApiErrorBody = z
  .object({
    error: z.object({
      code: z.enum(API_ERROR_CODES),
      message: z.string(),
      reason: z
        .string()
        .optional()
        .openapi({ description: 'on 401, 403 and 503: the reason as the access log keeps it, e.g. `not_auditor`' }),
      limit: z
        .enum(QUERY_LIMITS)
        .optional()
        .openapi({ description: 'on 422 and 504: the limit of a query that was reached' }),
      fields: z.array(FieldProblem).optional().openapi({ description: 'on 400: every parameter that is wrong' }),
    }),
  })
  .openapi('Error');
export type ApiErrorBody = z.infer<typeof ApiErrorBody>;

function answer(description: string) {
  return { description, content: { 'application/json': { schema: ApiErrorBody } } };
}

/** What every route behind a token can answer besides its result. */
export const COMMON_ERRORS = {
  400: answer('a parameter is wrong; `fields` names each one with its remedy'),
  401: answer('the token is missing, unknown or expired'),
  403: answer('the token is known but may not do this; `reason` says why'),
  422: answer(
    'the query needs more memory, or reads more rows, than one query may; narrow the range or the filters. Nothing is counted in part'
  ),
  500: answer('a fault of the audit API; its log has the details'),
  503: answer('the store cannot be reached, or the access could not be recorded (`not_recorded`)'),
  504: answer('the query took longer than the limit; narrow the range or the filters'),
} as const;

export const NOT_FOUND = answer('no such call, or it is not the caller’s to see; both look the same');

export const TOO_MANY = answer('too many of these at once; end one first');

export const CONFLICT = answer('somebody else changed it meanwhile, or there are too many; read it again');
