/**
 * Lets the browser fetch a file from its one-time address, straight to the disk: its bytes are never in the page, its
 * address never in the page's own. The session of the reader goes along; without it the address is worth nothing.
 */
import { API_BASE } from '../constants.ts';

/** @param url of the audit API, e.g. `/api/v1/exports/downloads/…`. @returns where the plugin proxy has it */
export function downloadAddress(url: string, appSubUrl: string): string {
  return `${appSubUrl}${API_BASE}${url.replace(/^\/api\/v1(?=\/)/, '')}`;
}

export function saveDownload(url: string, fileName: string, appSubUrl: string): void {
  const link = document.createElement('a');
  link.href = downloadAddress(url, appSubUrl);
  link.download = fileName;
  // a link without a target is taken by Grafana for one to a page
  link.target = '_self';
  link.rel = 'noreferrer';
  document.body.append(link);
  link.click();
  link.remove();
}
