/** Exports of the audit API: what one will be, its one-time address, and how far it is. Files never pass through here. */
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { sendJson, getJson, type ApiQuery } from './api.ts';
import type {
  ExportCompression,
  ExportEstimate,
  ExportFormat,
  ExportOptions,
  ExportRun,
  ExportTicket,
} from './contract.ts';

export interface ExportRequest {
  /** RFC 3339 */
  readonly from: string;
  readonly to: string;
  readonly filters: ApiQuery;
  readonly format: ExportFormat;
  readonly compression: ExportCompression;
  /** left out: all */
  readonly columns?: readonly string[];
  readonly payloads: boolean;
}

const POLL_MS = 1000;
const OVER: ReadonlySet<ExportRun['state']> = new Set(['done', 'failed', 'cancelled']);

export function isOver(state: ExportRun['state']): boolean {
  return OVER.has(state);
}

export function useExportOptions() {
  return useQuery({
    queryKey: ['export-options'],
    queryFn: ({ signal }) => getJson<ExportOptions>('/exports/options', {}, signal),
  });
}

export function useExportEstimate(request: ExportRequest) {
  return useQuery({
    queryKey: ['export-estimate', request],
    queryFn: ({ signal }) => sendJson<ExportEstimate>('POST', '/exports/estimate', request, signal),
    placeholderData: keepPreviousData,
    retry: false,
  });
}

export function useAddDownload() {
  return useMutation({
    mutationFn: (request: ExportRequest) => sendJson<ExportTicket>('POST', '/exports/downloads', request),
  });
}

/** Asked each second until it is over. */
export function useExportRun(id: string) {
  return useQuery({
    queryKey: ['export-run', id],
    queryFn: ({ signal }) => getJson<ExportRun>(`/exports/runs/${id}`, {}, signal),
    refetchInterval: ({ state }) => (state.data !== undefined && isOver(state.data.state) ? false : POLL_MS),
  });
}

export function useCancelExport() {
  return useMutation({ mutationFn: (id: string) => sendJson<ExportRun>('POST', `/exports/runs/${id}/cancel`) });
}
