/** Routes of the Configuration page and of saved views. Part of the contract. */
import { createRoute } from '@hono/zod-openapi';
import type { z } from '@hono/zod-openapi';
import { COMMON_ERRORS, CONFLICT, NOT_FOUND } from './errors.ts';
import { NoQuery } from './params.ts';
import { API_BASE, BEHIND_TOKEN, json } from './route.ts';
import { RoleMappingBody, RoleSettings, Status } from './settings.ts';
import { SavedView, SavedViewBody, SavedViewId, SavedViewList } from './view.ts';

function body<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } };
}

export const roleSettingsRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/settings/roles`,
  operationId: 'getRoleSettings',
  summary: 'Which Grafana teams make Auditors, and how many people that is; for admins and auditors',
  security: BEHIND_TOKEN,
  request: { query: NoQuery },
  responses: { 200: json(RoleSettings, 'the mapping in force'), 404: NOT_FOUND, ...COMMON_ERRORS },
});

export const changeRoleSettingsRoute = createRoute({
  method: 'put',
  path: `${API_BASE}/settings/roles`,
  operationId: 'changeRoleSettings',
  summary: 'Changes which Grafana teams make Auditors; Grafana Admins only, never in their own favour, and recorded',
  security: BEHIND_TOKEN,
  request: { query: NoQuery, body: body(RoleMappingBody) },
  responses: { 200: json(RoleSettings, 'the mapping in force'), 404: NOT_FOUND, 409: CONFLICT, ...COMMON_ERRORS },
});

export const statusRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/settings/status`,
  operationId: 'getStatus',
  summary:
    'Tests each link of the chain now, and tells health, retention and how many users match; for admins and auditors',
  security: BEHIND_TOKEN,
  request: { query: NoQuery },
  responses: { 200: json(Status, 'what was found'), ...COMMON_ERRORS },
});

export const viewsRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/views`,
  operationId: 'listViews',
  summary: 'The caller’s saved views, by name',
  security: BEHIND_TOKEN,
  request: { query: NoQuery },
  responses: { 200: json(SavedViewList, 'the views'), ...COMMON_ERRORS },
});

export const addViewRoute = createRoute({
  method: 'post',
  path: `${API_BASE}/views`,
  operationId: 'addView',
  summary: 'Saves a view',
  security: BEHIND_TOKEN,
  request: { query: NoQuery, body: body(SavedViewBody) },
  responses: { 201: json(SavedView, 'the view'), 409: CONFLICT, ...COMMON_ERRORS },
});

export const changeViewRoute = createRoute({
  method: 'put',
  path: `${API_BASE}/views/{id}`,
  operationId: 'changeView',
  summary: 'Changes a saved view',
  security: BEHIND_TOKEN,
  request: { params: SavedViewId, query: NoQuery, body: body(SavedViewBody) },
  responses: { 200: json(SavedView, 'the view'), 404: NOT_FOUND, ...COMMON_ERRORS },
});

export const removeViewRoute = createRoute({
  method: 'delete',
  path: `${API_BASE}/views/{id}`,
  operationId: 'removeView',
  summary: 'Removes a saved view',
  security: BEHIND_TOKEN,
  request: { params: SavedViewId, query: NoQuery },
  responses: { 204: { description: 'it is gone' }, 404: NOT_FOUND, ...COMMON_ERRORS },
});
