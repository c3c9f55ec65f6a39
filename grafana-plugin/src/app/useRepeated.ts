/** Does something again and again while the page is open. */
import { rangeUtil } from '@grafana/data';
import { useEffect } from 'react';

/** @param interval e.g. `30s`; undefined: never */
export function useRepeated(interval: string | undefined, run: () => void): void {
  useEffect(() => {
    if (interval === undefined) return undefined;
    const timer = setInterval(run, rangeUtil.intervalToMs(interval));
    return () => clearInterval(timer);
  }, [interval, run]);
}
