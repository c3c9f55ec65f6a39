/** Routes of the audit log: the calls, one of them, its payload, and what is drawn around them. Part of the contract. */
import { createRoute } from '@hono/zod-openapi';
import { CallDetail, CallId, CallPage } from './call.ts';
import { COMMON_ERRORS, NOT_FOUND, TOO_MANY } from './errors.ts';
import { Facets } from './facets.ts';
import { CallsQuery, FacetsQuery, SessionQuery, SessionsQuery, TailQuery, TimelineQuery } from './filters.ts';
import { NoQuery } from './params.ts';
import { CallPayload } from './payload.ts';
import { API_BASE, BEHIND_TOKEN, json } from './route.ts';
import { SessionDetail, SessionKey, SessionPage } from './session.ts';
import { TailEvents } from './tail.ts';
import { Timeline } from './timeline.ts';

export const callsRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/calls`,
  operationId: 'listCalls',
  summary: 'Calls, newest first',
  security: BEHIND_TOKEN,
  request: { query: CallsQuery },
  responses: { 200: json(CallPage, 'one page'), ...COMMON_ERRORS },
});

export const callRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/calls/{id}`,
  operationId: 'getCall',
  summary: 'One call with every metadata column',
  security: BEHIND_TOKEN,
  request: { params: CallId, query: NoQuery },
  responses: { 200: json(CallDetail, 'the call'), 404: NOT_FOUND, ...COMMON_ERRORS },
});

export const callPayloadRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/calls/{id}/payload`,
  operationId: 'getCallPayload',
  summary: 'Request and response of one call, opened; auditors only, and each reading is recorded first',
  security: BEHIND_TOKEN,
  request: { params: CallId, query: NoQuery },
  responses: { 200: json(CallPayload, 'the payload'), 404: NOT_FOUND, ...COMMON_ERRORS },
});

export const facetsRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/facets`,
  operationId: 'getFacets',
  summary: 'The most frequent values of each column with their counts; each facet obeys the other filters, not its own',
  security: BEHIND_TOKEN,
  request: { query: FacetsQuery },
  responses: { 200: json(Facets, 'the facets'), ...COMMON_ERRORS },
});

export const timelineRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/timeline`,
  operationId: 'getTimeline',
  summary: 'Calls over the whole range by outcome, with totals, error rate and p95',
  security: BEHIND_TOKEN,
  request: { query: TimelineQuery },
  responses: { 200: json(Timeline, 'every bucket of the range, empty ones too'), ...COMMON_ERRORS },
});

export const tailRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/tail`,
  operationId: 'tailCalls',
  summary: 'Calls as the store gets them, for five minutes at most; then begin again',
  security: BEHIND_TOKEN,
  request: { query: TailQuery },
  responses: {
    200: { description: 'server-sent events', content: { 'text/event-stream': { schema: TailEvents } } },
    429: TOO_MANY,
    ...COMMON_ERRORS,
  },
});

export const sessionsRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/sessions`,
  operationId: 'listSessions',
  summary: 'Sessions with a call that fits the filters, the latest begun first',
  security: BEHIND_TOKEN,
  request: { query: SessionsQuery },
  responses: { 200: json(SessionPage, 'one page'), ...COMMON_ERRORS },
});

export const sessionRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/sessions/{key}`,
  operationId: 'getSession',
  summary: 'One session and its calls in order, requests of servers within it included',
  security: BEHIND_TOKEN,
  request: { params: SessionKey, query: SessionQuery },
  responses: { 200: json(SessionDetail, 'the session'), 404: NOT_FOUND, ...COMMON_ERRORS },
});
