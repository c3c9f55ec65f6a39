/**
 * Requests to the audit API through Grafana's plugin proxy, which adds the secret and says who asks. Free text travels in
 * the query, never in the path. Shows no alerts; failures are thrown as ApiFailure.
 */
import { getBackendSrv } from '@grafana/runtime';
import { lastValueFrom } from 'rxjs';
import { API_BASE } from '../constants.ts';
import { ApiFailure, toApiFailure } from './api-failure.ts';

type QueryValue = string | number | boolean | readonly string[] | undefined;
export type ApiQuery = Readonly<Record<string, QueryValue>>;

/** @param path of the audit API, e.g. `/calls` */
export function apiUrl(path: string, query: ApiQuery = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    const values = typeof value === 'object' ? value : [String(value)];
    for (const one of values) search.append(name, one);
  }
  const text = search.toString();
  return `${API_BASE}${path}${text === '' ? '' : `?${text}`}`;
}

export function getJson<T>(path: string, query: ApiQuery, signal: AbortSignal): Promise<T> {
  return request<T>({ url: apiUrl(path, query), method: 'GET', abortSignal: signal });
}

/** @param signal of what only asks, though by POST */
export function sendJson<T>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  data?: unknown,
  signal?: AbortSignal
): Promise<T> {
  return request<T>({
    url: apiUrl(path),
    method,
    ...(data === undefined ? {} : { data }),
    ...(signal === undefined ? {} : { abortSignal: signal }),
  });
}

/** For files that the page saves. */
export function getText(path: string, query: ApiQuery): Promise<string> {
  return request<string>({ url: apiUrl(path, query), method: 'GET', responseType: 'text' });
}

interface Sending {
  readonly url: string;
  readonly method: string;
  readonly data?: unknown;
  readonly abortSignal?: AbortSignal;
  readonly responseType?: 'text';
}

async function request<T>(sending: Sending): Promise<T> {
  try {
    const answered = getBackendSrv().fetch<T>({ ...sending, showErrorAlert: false, showSuccessAlert: false });
    const response = await lastValueFrom(answered, { defaultValue: undefined });
    if (response === undefined) throw new ApiFailure('unreachable', 0, 'The request was cancelled.');
    return response.data;
  } catch (error) {
    throw toApiFailure(error);
  }
}
