/** Routes about the caller and the API itself. Part of the contract. Those without `security` are open to everybody. */
import { createRoute, z } from '@hono/zod-openapi';
import { AccessLogPage } from './access-log.ts';
import { COMMON_ERRORS } from './errors.ts';
import { AccessLogQuery } from './filters.ts';
import { Health, Me } from './me.ts';
import { NoQuery } from './params.ts';
import { API_BASE, BEHIND_TOKEN, json } from './route.ts';

export const meRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/me`,
  operationId: 'getMe',
  summary: 'Who am I, and what may I see?',
  security: BEHIND_TOKEN,
  request: { query: NoQuery },
  responses: { 200: json(Me, 'the caller'), ...COMMON_ERRORS },
});

export const accessLogRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/access-log`,
  operationId: 'listAccessLog',
  summary:
    'Who opened, searched, exported or changed what, refusals too; newest first. Viewers see what they did themselves.',
  security: BEHIND_TOKEN,
  request: { query: AccessLogQuery },
  responses: { 200: json(AccessLogPage, 'one page'), ...COMMON_ERRORS },
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
