/** Routes of scheduled exports. Part of the contract. For admins and auditors; with payloads for auditors only. */
import { createRoute } from '@hono/zod-openapi';
import type { z } from '@hono/zod-openapi';
import { COMMON_ERRORS, CONFLICT, NOT_FOUND } from './errors.ts';
import {
  DestinationTest,
  DestinationTestBody,
  ExportReleaseBody,
  ExportSchedule,
  ExportScheduleBody,
  ExportScheduleChange,
  ExportScheduleId,
  ExportScheduleList,
  ExportTimingBody,
  ExportTimingPreview,
} from './export-schedule.ts';
import { NoQuery } from './params.ts';
import { API_BASE, BEHIND_TOKEN, json } from './route.ts';

const BASE = `${API_BASE}/exports`;

function body<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } };
}

export const exportSchedulesRoute = createRoute({
  method: 'get',
  path: `${BASE}/schedules`,
  operationId: 'listExportSchedules',
  summary: 'Scheduled exports with how they stand, by name',
  security: BEHIND_TOKEN,
  request: { query: NoQuery },
  responses: { 200: json(ExportScheduleList, 'the schedules'), ...COMMON_ERRORS },
});

export const addExportScheduleRoute = createRoute({
  method: 'post',
  path: `${BASE}/schedules`,
  operationId: 'addExportSchedule',
  summary: 'Schedules an export; with payloads by an auditor only, under whose rights it runs',
  security: BEHIND_TOKEN,
  request: { query: NoQuery, body: body(ExportScheduleBody) },
  responses: { 201: json(ExportSchedule, 'the schedule'), 409: CONFLICT, ...COMMON_ERRORS },
});

export const previewExportTimingRoute = createRoute({
  method: 'post',
  path: `${BASE}/schedules/preview`,
  operationId: 'previewExportTiming',
  summary: 'A timing in words, and its next five times',
  security: BEHIND_TOKEN,
  request: { query: NoQuery, body: body(ExportTimingBody) },
  responses: { 200: json(ExportTimingPreview, 'the preview'), ...COMMON_ERRORS },
});

export const exportScheduleRoute = createRoute({
  method: 'get',
  path: `${BASE}/schedules/{id}`,
  operationId: 'getExportSchedule',
  summary: 'One scheduled export',
  security: BEHIND_TOKEN,
  request: { params: ExportScheduleId, query: NoQuery },
  responses: { 200: json(ExportSchedule, 'the schedule'), 404: NOT_FOUND, ...COMMON_ERRORS },
});

export const changeExportScheduleRoute = createRoute({
  method: 'put',
  path: `${BASE}/schedules/{id}`,
  operationId: 'changeExportSchedule',
  summary: 'Changes a schedule from its next window on; with payloads before or after: auditors only, who own it then',
  security: BEHIND_TOKEN,
  request: { params: ExportScheduleId, query: NoQuery, body: body(ExportScheduleChange) },
  responses: { 200: json(ExportSchedule, 'the schedule'), 404: NOT_FOUND, 409: CONFLICT, ...COMMON_ERRORS },
});

export const removeExportScheduleRoute = createRoute({
  method: 'delete',
  path: `${BASE}/schedules/{id}`,
  operationId: 'removeExportSchedule',
  summary: 'Removes a schedule; its files and its history stay',
  security: BEHIND_TOKEN,
  request: { params: ExportScheduleId, query: NoQuery },
  responses: { 204: { description: 'it is gone' }, 404: NOT_FOUND, ...COMMON_ERRORS },
});

function scheduleAction(action: string, operationId: string, summary: string) {
  return createRoute({
    method: 'post',
    path: `${BASE}/schedules/{id}/${action}`,
    operationId,
    summary,
    security: BEHIND_TOKEN,
    request: { params: ExportScheduleId, query: NoQuery },
    responses: { 200: json(ExportSchedule, 'the schedule'), 404: NOT_FOUND, 409: CONFLICT, ...COMMON_ERRORS },
  });
}

export const runExportScheduleRoute = scheduleAction(
  'run',
  'runExportSchedule',
  'Does what is due now: windows that wait or failed, without waiting for the next attempt'
);
export const pauseExportScheduleRoute = scheduleAction(
  'pause',
  'pauseExportSchedule',
  'Pauses a schedule; what happens meanwhile is exported once it goes on'
);
export const resumeExportScheduleRoute = scheduleAction(
  'resume',
  'resumeExportSchedule',
  'Lets a paused schedule go on; one with payloads by an auditor only'
);

export const releaseExportScheduleRoute = createRoute({
  method: 'post',
  path: `${BASE}/schedules/{id}/release`,
  operationId: 'releaseExportSchedule',
  summary:
    'No longer waits for gateways that are gone for good; should they come back, their rows go into a supplement',
  security: BEHIND_TOKEN,
  request: { params: ExportScheduleId, query: NoQuery, body: body(ExportReleaseBody) },
  responses: { 200: json(ExportSchedule, 'the schedule'), 404: NOT_FOUND, 409: CONFLICT, ...COMMON_ERRORS },
});

export const testDestinationRoute = createRoute({
  method: 'post',
  path: `${BASE}/destinations/test`,
  operationId: 'testExportDestination',
  summary: 'Writes a small object to a destination, reads it back and removes it',
  security: BEHIND_TOKEN,
  request: { query: NoQuery, body: body(DestinationTestBody) },
  responses: { 200: json(DestinationTest, 'what was found'), 404: NOT_FOUND, ...COMMON_ERRORS },
});
