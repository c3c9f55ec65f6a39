/** Where one session is shown. */
import { PAGES, pagePath } from '../constants.ts';

export function sessionPath(key: string, isDemo: boolean): string {
  return `${pagePath(PAGES.sessions)}/${encodeURIComponent(key)}${isDemo ? '?demo=true' : ''}`;
}
