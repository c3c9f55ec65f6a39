/** What was exported by a schedule, or at once by somebody, newest first; each that is done with its manifest. */
import { cx } from '@emotion/css';
import { Button, useStyles2 } from '@grafana/ui';
import { useState } from 'react';
import type { ExportRun } from '../data/contract.ts';
import { useExportRuns } from '../data/useExportSchedules.ts';
import { useCancelExport } from '../data/useExports.ts';
import { useValueNames } from '../filters/value-names.ts';
import { userName } from '../format/people.ts';
import { formatMinute } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { getCellStyles } from '../table/cell-styles.ts';
import { TableFrame } from '../table/TableFrame.tsx';
import { amountText, RUN_WORDS, scheduleWhat } from './export-words.ts';
import { RunManifest } from './RunManifest.tsx';

interface RunHistoryProps {
  /** undefined: of no schedule */
  readonly scheduleId: string | undefined;
  readonly timeZone: string;
}

export function RunHistory({ scheduleId, timeZone }: RunHistoryProps) {
  const runs = useExportRuns(scheduleId);
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  if (runs.error !== null) {
    return (
      <FailureState title="The history could not be read" error={runs.error} onRetry={() => void runs.refetch()} />
    );
  }
  if (runs.data === undefined) return <Skeleton lines={4} />;
  const isNow = scheduleId === undefined;
  if (items.length === 0) return <p>{isNow ? 'Nobody has exported anything yet.' : 'It has not run yet.'}</p>;
  return (
    <>
      <TableFrame label="Runs, newest first" testId={isNow ? 'now-table' : 'run-table'} isWrapped>
        <thead>
          <tr>
            {isNow && <th>Who</th>}
            {isNow && <th>What</th>}
            <th>Window</th>
            <th>State</th>
            <th>Rows and bytes</th>
            <th>Ended</th>
            <th>Manifest</th>
          </tr>
        </thead>
        <tbody>
          {items.map((run) => (
            <RunRow key={run.id} run={run} timeZone={timeZone} isNow={isNow} onChange={() => void runs.refetch()} />
          ))}
        </tbody>
      </TableFrame>
      {runs.hasNextPage && (
        <div>
          <Button variant="secondary" disabled={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
            Earlier runs
          </Button>
        </div>
      )}
    </>
  );
}

interface RunRowProps {
  readonly run: ExportRun;
  readonly timeZone: string;
  readonly isNow: boolean;
  readonly onChange: () => void;
}

function RunRow({ run, timeZone, isNow, onChange }: RunRowProps) {
  const names = useValueNames();
  const cancel = useCancelExport();
  const styles = useStyles2(getCellStyles);
  const [isOpen, setOpen] = useState(false);
  const isBad = run.state === 'failed' || run.state === 'retrying';
  return (
    <>
      <tr>
        {isNow && <td>{visibleText(run.by.user === null ? run.by.name : userName(run.by.user))}</td>}
        {isNow && (
          <td>
            {visibleText(scheduleWhat(run, names))}
            {run.payloads ? ', with payloads' : ''}
          </td>
        )}
        <td>
          {formatMinute(run.from, timeZone)} – {formatMinute(run.to, timeZone)}
          {run.supplement !== null && <span className={styles.quiet}> late rows {run.supplement}</span>}
        </td>
        <td className={cx(isBad && styles.bad)}>
          {RUN_WORDS[run.state]}
          {run.problem !== null && `: ${run.problem}`}
          {run.nextAttemptAt !== null && ` Next attempt ${formatMinute(run.nextAttemptAt, timeZone)}.`}
          {isNow && (run.state === 'running' || run.state === 'pending') && (
            <Button
              size="sm"
              variant="secondary"
              fill="text"
              disabled={cancel.isPending}
              onClick={() => cancel.mutate(run.id, { onSettled: onChange })}
            >
              Cancel
            </Button>
          )}
          {cancel.error !== null && <span className={styles.bad}> It could not be cancelled.</span>}
        </td>
        <td>{amountText(run)}</td>
        <td>{run.endedAt === null ? '–' : formatMinute(run.endedAt, timeZone)}</td>
        <td>
          {run.manifestName === null ? (
            '–'
          ) : (
            <Button size="sm" variant="secondary" fill="text" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {isOpen ? 'Hide' : 'Show'}
            </Button>
          )}
        </td>
      </tr>
      {isOpen && run.manifestName !== null && (
        <tr>
          <td colSpan={isNow ? 7 : 5}>
            <RunManifest runId={run.id} manifestName={run.manifestName} />
          </td>
        </tr>
      )}
    </>
  );
}
