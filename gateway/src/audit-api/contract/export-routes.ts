/** Routes of exports now, and of what became of every export. Part of the contract. Payloads for auditors only. */
import { createRoute, z } from '@hono/zod-openapi';
import { COMMON_ERRORS, CONFLICT, NOT_FOUND, TOO_MANY } from './errors.ts';
import {
  ExportBody,
  ExportEstimate,
  ExportManifest,
  ExportRun,
  ExportRunId,
  ExportRunPage,
  ExportStreamQuery,
  ExportTicket,
  ExportTicketParam,
} from './export.ts';
import { ExportOptions } from './export-schedule.ts';
import { cursorParam, filterText, limitParam, NoQuery } from './params.ts';
import { API_BASE, BEHIND_TOKEN, json } from './route.ts';

const BASE = `${API_BASE}/exports`;

function body<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } };
}

/** A file; which type depends on the format. */
const FILE = {
  description: 'the file, as it is made; a file that breaks off has no end of its compression and no last line feed',
  content: {
    'application/x-ndjson': { schema: z.string() },
    'text/csv': { schema: z.string() },
    'application/vnd.apache.parquet': { schema: z.string() },
  },
};

export const exportOptionsRoute = createRoute({
  method: 'get',
  path: `${BASE}/options`,
  operationId: 'getExportOptions',
  summary: 'What can be exported, and where to',
  security: BEHIND_TOKEN,
  request: { query: NoQuery },
  responses: { 200: json(ExportOptions, 'the options'), ...COMMON_ERRORS },
});

export const exportEstimateRoute = createRoute({
  method: 'post',
  path: `${BASE}/estimate`,
  operationId: 'estimateExport',
  summary: 'How many rows and bytes an export would have',
  security: BEHIND_TOKEN,
  request: { query: NoQuery, body: body(ExportBody) },
  responses: { 200: json(ExportEstimate, 'the estimate'), ...COMMON_ERRORS },
});

export const exportStreamRoute = createRoute({
  method: 'get',
  path: `${BASE}/stream`,
  operationId: 'streamExport',
  summary: 'The calls that fit the filters as one file, oldest first; leaving ends it',
  security: BEHIND_TOKEN,
  request: { query: ExportStreamQuery },
  responses: { 200: FILE, 409: CONFLICT, 429: TOO_MANY, ...COMMON_ERRORS },
});

export const addDownloadRoute = createRoute({
  method: 'post',
  path: `${BASE}/downloads`,
  operationId: 'addExportDownload',
  summary: 'Makes a one-time address from which a browser gets the file',
  security: BEHIND_TOKEN,
  request: { query: NoQuery, body: body(ExportBody) },
  responses: { 201: json(ExportTicket, 'the address'), 429: TOO_MANY, ...COMMON_ERRORS },
});

export const downloadRoute = createRoute({
  method: 'get',
  path: `${BASE}/downloads/{ticket}`,
  operationId: 'getExportDownload',
  summary: 'The file of a one-time address; once, and only for who made the address',
  security: BEHIND_TOKEN,
  request: { params: ExportTicketParam, query: NoQuery },
  responses: { 200: FILE, 404: NOT_FOUND, 409: CONFLICT, 429: TOO_MANY, ...COMMON_ERRORS },
});

export const exportRunsRoute = createRoute({
  method: 'get',
  path: `${BASE}/runs`,
  operationId: 'listExportRuns',
  summary: 'Exports of everybody, those that run and those that ended, newest first',
  security: BEHIND_TOKEN,
  request: {
    query: z.strictObject({
      scheduleId: filterText.optional().openapi({ description: 'of this schedule only' }),
      unscheduled: z
        .enum(['true'], 'use true, once')
        .optional()
        .openapi({ description: '`true`: those of no schedule only' }),
      limit: limitParam,
      cursor: cursorParam,
    }),
  },
  responses: { 200: json(ExportRunPage, 'one page'), ...COMMON_ERRORS },
});

export const exportRunRoute = createRoute({
  method: 'get',
  path: `${BASE}/runs/{id}`,
  operationId: 'getExportRun',
  summary: 'One export: its progress, or what became of it',
  security: BEHIND_TOKEN,
  request: { params: ExportRunId, query: NoQuery },
  responses: { 200: json(ExportRun, 'the run'), 404: NOT_FOUND, ...COMMON_ERRORS },
});

export const cancelExportRunRoute = createRoute({
  method: 'post',
  path: `${BASE}/runs/{id}/cancel`,
  operationId: 'cancelExportRun',
  summary: 'Ends an export that runs; a scheduled window is made again by `run`',
  security: BEHIND_TOKEN,
  request: { params: ExportRunId, query: NoQuery },
  responses: { 200: json(ExportRun, 'the run'), 404: NOT_FOUND, 409: CONFLICT, ...COMMON_ERRORS },
});

export const exportManifestRoute = createRoute({
  method: 'get',
  path: `${BASE}/runs/{id}/manifest`,
  operationId: 'getExportManifest',
  summary: 'The signed manifest of a finished export',
  security: BEHIND_TOKEN,
  request: { params: ExportRunId, query: NoQuery },
  responses: {
    200: json(ExportManifest, 'the manifest, as it lies beside the data'),
    404: NOT_FOUND,
    ...COMMON_ERRORS,
  },
});
