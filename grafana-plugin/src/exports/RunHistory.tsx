/** Runs of a schedule, newest first; each that is done with its manifest. */
import { cx } from '@emotion/css';
import { Button, useStyles2 } from '@grafana/ui';
import { useState } from 'react';
import type { ExportRun } from '../data/contract.ts';
import { useExportRuns } from '../data/useExportSchedules.ts';
import { formatMinute } from '../format/times.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { getCellStyles } from '../table/cell-styles.ts';
import { TableFrame } from '../table/TableFrame.tsx';
import { amountText, RUN_WORDS } from './export-words.ts';
import { RunManifest } from './RunManifest.tsx';

interface RunHistoryProps {
  readonly scheduleId: string;
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
  if (items.length === 0) return <p>It has not run yet.</p>;
  return (
    <>
      <TableFrame label="Runs, newest first" testId="run-table" isWrapped>
        <thead>
          <tr>
            <th>Window</th>
            <th>State</th>
            <th>Rows and bytes</th>
            <th>Ended</th>
            <th>Manifest</th>
          </tr>
        </thead>
        <tbody>
          {items.map((run) => (
            <RunRow key={run.id} run={run} timeZone={timeZone} />
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

function RunRow({ run, timeZone }: { readonly run: ExportRun; readonly timeZone: string }) {
  const styles = useStyles2(getCellStyles);
  const [isOpen, setOpen] = useState(false);
  const isBad = run.state === 'failed' || run.state === 'retrying';
  return (
    <>
      <tr>
        <td>
          {formatMinute(run.from, timeZone)} – {formatMinute(run.to, timeZone)}
          {run.supplement !== null && <span className={styles.quiet}> late rows {run.supplement}</span>}
        </td>
        <td className={cx(isBad && styles.bad)}>
          {RUN_WORDS[run.state]}
          {run.problem !== null && `: ${run.problem}`}
          {run.nextAttemptAt !== null && ` Next attempt ${formatMinute(run.nextAttemptAt, timeZone)}.`}
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
          <td colSpan={5}>
            <RunManifest runId={run.id} manifestName={run.manifestName} />
          </td>
        </tr>
      )}
    </>
  );
}
