/** Scheduled exports as the audit API has them: how they stand, what became of their runs, and what can be done. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getJson, sendJson } from './api.ts';
import type {
  DestinationTest,
  ExportManifest,
  ExportRunPage,
  ExportSchedule,
  ExportScheduleList,
  ExportTimingPreview,
} from './contract.ts';

const SCHEDULES = ['export-schedules'] as const;
const SCHEDULES_POLL_MS = 5000;
const PAGE_ROWS = 50;

/** Looked at again while it is shown: runs come and go by themselves. */
export function useExportSchedules() {
  return useQuery({
    queryKey: SCHEDULES,
    queryFn: ({ signal }) => getJson<ExportScheduleList>('/exports/schedules', {}, signal),
    refetchInterval: ({ state }) => (state.error === null ? SCHEDULES_POLL_MS : false),
  });
}

/** @param scheduleId undefined: those of no schedule, of everybody */
export function useExportRuns(scheduleId: string | undefined) {
  return useInfiniteQuery({
    queryKey: ['export-runs', scheduleId],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      getJson<ExportRunPage>(
        '/exports/runs',
        {
          ...(scheduleId === undefined ? { unscheduled: 'true' } : { scheduleId }),
          limit: PAGE_ROWS,
          ...(pageParam === '' ? {} : { cursor: pageParam }),
        },
        signal
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    staleTime: 0,
    // while the schedules are looked at again, so are their runs
    refetchInterval: ({ state }) => (state.error === null ? SCHEDULES_POLL_MS : false),
  });
}

export function useExportManifest(runId: string) {
  return useQuery({
    queryKey: ['export-manifest', runId],
    queryFn: ({ signal }) => getJson<ExportManifest>(`/exports/runs/${runId}/manifest`, {}, signal),
    retry: false,
  });
}

export type ScheduleAction = 'run' | 'pause' | 'resume';

export function useScheduleAction() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, action }: { readonly id: string; readonly action: ScheduleAction }) =>
      sendJson<ExportSchedule>('POST', `/exports/schedules/${id}/${action}`),
    onSettled: async (_answer, _error, { id }) => {
      await cache.invalidateQueries({ queryKey: SCHEDULES });
      await cache.invalidateQueries({ queryKey: ['export-runs', id] });
    },
  });
}

/** Lets it go on without gateways that are gone for good. */
export function useReleaseSchedule() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, gateways }: { readonly id: string; readonly gateways: readonly string[] }) =>
      sendJson<ExportSchedule>('POST', `/exports/schedules/${id}/release`, { gateways }),
    onSettled: () => cache.invalidateQueries({ queryKey: SCHEDULES }),
  });
}

export function useRemoveSchedule() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => sendJson<unknown>('DELETE', `/exports/schedules/${id}`),
    onSettled: () => cache.invalidateQueries({ queryKey: SCHEDULES }),
  });
}

/** @param enabled whether there is a timing that can be asked for */
export function useTimingPreview(body: Pick<ExportSchedule, 'timing' | 'timeZone'>, enabled: boolean) {
  return useQuery({
    queryKey: ['export-timing', body],
    queryFn: ({ signal }) => sendJson<ExportTimingPreview>('POST', '/exports/schedules/preview', body, signal),
    enabled,
    retry: false,
  });
}

/** Secrets that are in the body are kept nowhere here: mutations are forgotten with the form. */
export function useTestDestination() {
  return useMutation({
    gcTime: 0,
    mutationFn: (body: { readonly destination: Readonly<Record<string, unknown>>; readonly scheduleId?: string }) =>
      sendJson<DestinationTest>('POST', '/exports/destinations/test', body),
  });
}

interface SavedSchedule {
  readonly body: Readonly<Record<string, unknown>>;
  /** of the one that is changed */
  readonly id?: string;
  /** that was read */
  readonly version?: number;
}

export function useSaveSchedule() {
  const cache = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: ({ body, id, version }: SavedSchedule) =>
      id === undefined
        ? sendJson<ExportSchedule>('POST', '/exports/schedules', body)
        : sendJson<ExportSchedule>('PUT', `/exports/schedules/${id}`, { ...body, version }),
    onSuccess: () => cache.invalidateQueries({ queryKey: SCHEDULES }),
  });
}
