/**
 * The filters, the same on every list, count and chart. Part of the contract. A filter is repeatable: `server=a&server=b`
 * means either; its `not…` twin excludes: `notServer=a&notServer=b` means neither. Different filters must all hold. The
 * value `(none)` stands for an empty column: `tool=(none)` finds calls of no tool.
 */
import { z } from '@hono/zod-openapi';
import { ACCESS_ACTIONS, ACCESS_DECISIONS } from '../../record/access.ts';
import { OUTCOMES, RECORD_KINDS } from '../../record/vocabulary.ts';
import {
  cursorParam,
  demoParam,
  filterText,
  limitParam,
  repeated,
  repeatedOf,
  timeParam,
  wholeNumber,
} from './params.ts';

/** Kinds that have rows in `mcp.calls`. */
export const CALL_KINDS = RECORD_KINDS.filter((kind) => kind !== 'access' && kind !== 'catalog' && kind !== 'health');
const KINDS = CALL_KINDS as [(typeof CALL_KINDS)[number], ...(typeof CALL_KINDS)[number][]];

/** As in a call, where null (a stream that still runs) is called `open`. */
export const OUTCOMES_AND_OPEN = [...OUTCOMES, 'open'] as const;

/** Value of a filter that stands for an empty column. */
export const NONE = '(none)';

const MAX_TEXT_CHARS = 200;
const MAX_TEXT_WORDS = 8;
const MAX_DURATION_MS = 1e10;
const DURATION_REMEDY = 'use milliseconds, e.g. 250 or 0.5';

const rangeParams = {
  from: timeParam('start of the range, inclusive'),
  to: timeParam('end of the range, exclusive'),
};

/** For counts: without `from` they would read the whole log. */
const recentRangeParams = {
  from: timeParam('start of the range, inclusive; 24 hours before `to` by default'),
  to: timeParam('end of the range, exclusive; `now` by default'),
};

const duration = (about: string) =>
  z.coerce
    .number(DURATION_REMEDY)
    .min(0, DURATION_REMEDY)
    .max(MAX_DURATION_MS, DURATION_REMEDY)
    .optional()
    .openapi({ description: about });

/** What Usage can be asked for: it counts requests and nothing else, so `kind` is not among them. */
const requestFilters = {
  user: repeated(filterText, 'who called: e-mail address, login, or user key; `(none)`: nobody known'),
  notUser: repeated(filterText, 'who did not'),
  server: repeated(filterText, 'upstream server, as in `mcpServers`'),
  notServer: repeated(filterText, 'any other server'),
  operation: repeated(filterText, 'MCP method, e.g. `tools/call`'),
  notOperation: repeated(filterText, 'any other MCP method'),
  tool: repeated(filterText, 'tool name'),
  notTool: repeated(filterText, 'any other tool, or none'),
  outcome: repeatedOf(OUTCOMES_AND_OPEN, 'how it ended; `open`: it has not'),
  notOutcome: repeatedOf(
    OUTCOMES_AND_OPEN,
    'how it did not end; `notOutcome=success` finds all that failed or was refused'
  ),
  client: repeated(filterText, 'MCP client, as it names itself'),
  notClient: repeated(filterText, 'any other MCP client'),
  clientVersion: repeated(filterText, 'version of the MCP client'),
  notClientVersion: repeated(filterText, 'any other version'),
  key: repeated(filterText, 'name of the API key'),
  notKey: repeated(filterText, 'any other API key, or none'),
  session: repeated(filterText, 'session key of a call'),
  notSession: repeated(filterText, 'any other session, or none'),
  traceId: repeated(filterText, 'W3C trace id'),
  errorType: repeated(filterText, 'class of the error, e.g. `tool_error` or `-32602`'),
  notErrorType: repeated(filterText, 'any other class, or no error'),
  minDurationMs: duration('took at least so long'),
  maxDurationMs: duration('took at most so long'),
  q: z
    .string('give it once')
    .max(MAX_TEXT_CHARS, `give at most ${MAX_TEXT_CHARS} characters`)
    .refine((text) => text.split(/\s+/).length <= MAX_TEXT_WORDS, `give at most ${MAX_TEXT_WORDS} words`)
    .optional()
    .openapi({
      description:
        'words that must all be found in the metadata, in any case: server, operation, tool, prompt, resource URI, client, API key, error type, policy rule, address, ids; for callers who may see other people in their e-mail, login and name too. Payloads are not searched.',
    }),
  demo: demoParam,
};

const callFilters = {
  ...requestFilters,
  kind: repeatedOf(KINDS, 'what the record is about; all by default'),
  notKind: repeatedOf(KINDS, 'what it is not about'),
};

/** Filters once parsed; those that a route does not offer are left out. */
export type CallFilterQuery = { readonly [Name in keyof typeof callFilters]?: z.output<(typeof callFilters)[Name]> };

export const CallsQuery = z.strictObject({ ...rangeParams, ...callFilters, limit: limitParam, cursor: cursorParam });

/** The filters of a list of calls, in the body of a request. */
export const CallFilters = z.strictObject(callFilters).openapi('CallFilters', {
  description: 'as the parameters of /calls: a value or a list of values each',
});

export const exportRangeParams = recentRangeParams;
export const exportFilterParams = callFilters;

/** In the order of the page. */
export const FACETS = ['outcome', 'server', 'user', 'operation', 'tool', 'client'] as const;
export type FacetName = (typeof FACETS)[number];

export const FacetsQuery = z.strictObject({
  ...recentRangeParams,
  ...callFilters,
  field: repeatedOf(FACETS, 'which facets; all by default'),
  limit: wholeNumber({ min: 1, max: 200 }, 'values of each facet at most').default(20),
});

/** Buckets of a chart at most. */
const bucketsParam = wholeNumber(
  { min: 1, max: 500 },
  'buckets at most; the next wider of 1 s, 5 s, 10 s, 30 s, 1 min, 5 min, 10 min, 30 min, 1 h, 3 h, 6 h, 12 h, 1 d, 7 d, 30 d is taken'
).default(120);

export const TimelineQuery = z.strictObject({ ...recentRangeParams, ...callFilters, buckets: bucketsParam });

export const SessionsQuery = z.strictObject({
  ...recentRangeParams,
  ...callFilters,
  limit: limitParam,
  cursor: cursorParam,
});

export const TailQuery = z.strictObject({
  ...callFilters,
  since: timeParam('calls that the store got from then on, 15 minutes ago at most; `now` by default'),
});

export const PayloadSearchQuery = z.strictObject({ ...recentRangeParams, ...callFilters });

export const SessionQuery = z.strictObject({ limit: limitParam, cursor: cursorParam });

const compareParam = z
  .enum(['previous'], 'use previous, or leave it out')
  .optional()
  .openapi({ description: '`previous`: also the period of equal length just before' });

export const UsageQuery = z.strictObject({
  ...recentRangeParams,
  ...requestFilters,
  compare: compareParam,
  limit: limitParam,
});

export const UsageOverTimeQuery = z.strictObject({
  ...recentRangeParams,
  ...requestFilters,
  compare: compareParam,
  buckets: bucketsParam,
});

const formatParam = z
  .enum(['json', 'csv'], 'use json or csv')
  .optional()
  .openapi({ description: '`csv`: the same table as a file; `Accept: text/csv` does the same. JSON by default.' });

export const UsageTableQuery = z.strictObject({
  ...recentRangeParams,
  ...requestFilters,
  limit: limitParam,
  format: formatParam,
});

export const UnusedQuery = z.strictObject({
  days: wholeNumber({ min: 1, max: 365 }, 'not called for so many days').default(30),
  demo: demoParam,
  limit: limitParam,
  format: formatParam,
});

export const ConcurrencyQuery = z.strictObject({
  ...recentRangeParams,
  ...requestFilters,
  buckets: bucketsParam,
  limit: limitParam,
});

export const AccessLogQuery = z.strictObject({
  ...rangeParams,
  action: repeatedOf(ACCESS_ACTIONS, 'what was done or asked for'),
  decision: repeatedOf(ACCESS_DECISIONS, 'whether it was given'),
  actor: repeated(filterText, 'who did it: e-mail address, login, user key, or name of a token'),
  user: repeated(filterText, 'whose data it was about: e-mail address, login, or user key'),
  server: repeated(filterText, 'server whose data it was about'),
  callId: repeated(filterText, 'call whose payload was asked for'),
  demo: demoParam,
  limit: limitParam,
  cursor: cursorParam,
});
