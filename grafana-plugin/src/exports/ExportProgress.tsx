/**
 * How far a download is and how it ended, from what the audit API says of it. A browser keeps nothing of one that broke
 * off; the way to go on is the command line.
 */
import { Alert, Button, Stack } from '@grafana/ui';
import type { ExportTicket } from '../data/contract.ts';
import { isOver, useCancelExport, useExportRun, type ExportRequest } from '../data/useExports.ts';
import { FailureState } from '../states/FailureState.tsx';
import { CopyCommand } from './CopyCommand.tsx';
import { exportCommand, progressText } from './export-words.ts';

interface ExportProgressProps {
  readonly ticket: ExportTicket;
  readonly request: ExportRequest;
  readonly expectedRows: number | undefined;
  readonly onAgain: () => void;
}

export function ExportProgress({ ticket, request, expectedRows, onAgain }: ExportProgressProps) {
  const run = useExportRun(ticket.runId);
  const cancel = useCancelExport();
  const state = run.data?.state ?? 'pending';
  return (
    <Stack direction="column" gap={1}>
      <div role="status" data-testid="export-progress">
        {ticket.fileName}: {run.data === undefined ? 'Starting …' : progressText(run.data, expectedRows)}
      </div>
      {state === 'pending' && (
        <p>If nothing comes, look whether the browser blocks downloads; no more than two exports run at once.</p>
      )}
      {run.error !== null && (
        <FailureState title="Its progress could not be read" error={run.error} onRetry={() => void run.refetch()} />
      )}
      {cancel.error !== null && <FailureState title="It could not be cancelled" error={cancel.error} />}
      {state === 'failed' && (
        <Alert severity="error" title="The export failed">
          {run.data?.bytes === 0 ? 'Nothing went out.' : 'Delete the file, if the browser kept one.'}
        </Alert>
      )}
      {(state === 'failed' || state === 'cancelled') && run.data !== undefined && run.data.bytes > 0 && (
        <div data-testid="export-resume">
          <p>
            “Export again” begins anew. From a shell, a long file goes on where it breaks off: this, and after each
            break the same with --resume.
          </p>
          <CopyCommand command={exportCommand(request, ticket.fileName)} what="the command" />
        </div>
      )}
      <Stack direction="row" gap={1}>
        {!isOver(state) ? (
          <Button
            variant="secondary"
            icon="times"
            disabled={cancel.isPending}
            onClick={() => cancel.mutate(ticket.runId, { onSuccess: () => void run.refetch() })}
          >
            Cancel the export
          </Button>
        ) : (
          <Button variant="secondary" icon="sync" onClick={onAgain}>
            Export again
          </Button>
        )}
      </Stack>
    </Stack>
  );
}
