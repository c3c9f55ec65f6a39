/**
 * Grafana's `backendSrv` as far as a plugin sees it: requests to this origin, errors as `FetchError`, cancellation by
 * unsubscribing. Shows no alerts.
 */
import type { BackendSrv, BackendSrvRequest, FetchError, FetchResponse } from '@grafana/runtime';
import { lastValueFrom, Observable } from 'rxjs';

function observe<T>(options: BackendSrvRequest, read: (response: Response, next: (data: T) => void) => Promise<void>) {
  return new Observable<FetchResponse<T>>((subscriber) => {
    const abort = new AbortController();
    options.abortSignal?.addEventListener('abort', () => abort.abort());
    run().catch((error: unknown) => {
      if (abort.signal.aborted) subscriber.complete();
      else subscriber.error(error);
    });
    return () => abort.abort();

    async function run(): Promise<void> {
      const response = await fetch(options.url.replace(/^\/?/, '/'), {
        method: options.method ?? 'GET',
        headers: {
          Accept: 'application/json, text/plain, */*',
          'X-Grafana-Org-Id': '1',
          ...(options.data === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(options.headers as Record<string, string> | undefined),
        },
        signal: abort.signal,
        ...(options.data === undefined ? {} : { body: JSON.stringify(options.data) }),
      });
      const { status, statusText, ok, headers, redirected, type, url } = response;
      if (!ok) {
        const data = parseJson(await response.text());
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- Grafana's backendSrv throws plain objects, too
        throw { status, statusText, data, config: options } satisfies FetchError<unknown>;
      }
      await read(response, (data) =>
        subscriber.next({ data, status, statusText, ok, headers, redirected, type, url, config: options })
      );
      subscriber.complete();
    }
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

function fetchAll<T>(options: BackendSrvRequest): Observable<FetchResponse<T>> {
  return observe<T>(options, async (response, next) => {
    next((options.responseType === 'text' ? await response.text() : parseJson(await response.text())) as T);
  });
}

const ask = async <T>(options: BackendSrvRequest): Promise<T> => (await lastValueFrom(fetchAll<T>(options))).data;

export const backendSrv: BackendSrv = {
  fetch: fetchAll,
  chunked: (options) =>
    observe<Uint8Array | undefined>(options, async (response, next) => {
      const reader = response.body?.getReader();
      for (;;) {
        const part = await reader?.read();
        if (part === undefined || part.done) return;
        next(part.value);
      }
    }),
  get: (url, _params, _requestId, options) => ask({ url, ...options }),
  delete: (url, data, options) => ask({ url, method: 'DELETE', data, ...options }),
  post: (url, data, options) => ask({ url, method: 'POST', data, ...options }),
  patch: (url, data, options) => ask({ url, method: 'PATCH', data, ...options }),
  put: (url, data, options) => ask({ url, method: 'PUT', data, ...options }),
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- part of the interface
  request: ask,
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- part of the interface
  datasourceRequest: (options) => lastValueFrom(fetchAll(options)),
};
