/**
 * The contract of the audit API: its routes with their parameters and answers, from which the OpenAPI document is made.
 * Clients (the Grafana app, automation) import the types only. Says what goes in and out; decides nothing.
 * Names change only together with all their users.
 */
import { createRoute, z } from '@hono/zod-openapi';
import { CallDetail, CallId, CallPage } from './contract/call.ts';
import { COMMON_ERRORS, NOT_FOUND } from './contract/errors.ts';
import { CallsQuery, NoQuery, UsageQuery } from './contract/filters.ts';
import { Health, Me } from './contract/me.ts';
import { CallPayload } from './contract/payload.ts';
import { UsageSummary } from './contract/usage.ts';

const API_BASE = '/api/v1';
export const BEARER = 'bearer';

const BEHIND_TOKEN = [{ [BEARER]: [] }];

function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

export const meRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/me`,
  operationId: 'getMe',
  summary: 'Who am I, and what may I see?',
  security: BEHIND_TOKEN,
  request: { query: NoQuery },
  responses: { 200: json(Me, 'the caller'), ...COMMON_ERRORS },
});

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

export const usageSummaryRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/summary`,
  operationId: 'getUsageSummary',
  summary: 'Requests by server, user and tool: counts, error rates, latencies, tokens',
  security: BEHIND_TOKEN,
  request: { query: UsageQuery },
  responses: { 200: json(UsageSummary, 'the summary'), ...COMMON_ERRORS },
});

export const openApiRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/openapi.json`,
  operationId: 'getOpenApi',
  summary: 'This document',
  responses: { 200: json(z.record(z.string(), z.unknown()), 'OpenAPI 3.1') },
});

export const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'getHealth',
  summary: 'Is the audit API up, and does its store answer?',
  responses: { 200: json(Health, 'up'), 503: json(Health, 'the store does not answer') },
});

export type { Call, CallDetail, CallPage, HiddenBecause, User } from './contract/call.ts';
export type { ApiErrorBody, ApiErrorCode } from './contract/errors.ts';
export type { Me, Role } from './contract/me.ts';
export type { CallPayload, PayloadPart } from './contract/payload.ts';
export type { ServerUsage, ToolUsage, UsageSummary, UserServerUsage } from './contract/usage.ts';
