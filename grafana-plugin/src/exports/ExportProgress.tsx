/** How far a download is and how it ended, from what the audit API says of it. */
import { Alert, Button, Stack } from '@grafana/ui';
import type { ExportTicket } from '../data/contract.ts';
import { isOver, useCancelExport, useExportRun } from '../data/useExports.ts';
import { FailureState } from '../states/FailureState.tsx';
import { progressText } from './export-words.ts';

interface ExportProgressProps {
  readonly ticket: ExportTicket;
  readonly expectedRows: number | undefined;
  readonly onAgain: () => void;
}

export function ExportProgress({ ticket, expectedRows, onAgain }: ExportProgressProps) {
  const run = useExportRun(ticket.runId);
  const cancel = useCancelExport();
  const state = run.data?.state ?? 'pending';
  const wasNotFetched = state === 'pending' && run.dataUpdatedAt > Date.parse(ticket.expiresAt);
  return (
    <Stack direction="column" gap={1}>
      <div role="status" data-testid="export-progress">
        {ticket.fileName}: {run.data === undefined ? 'Starting …' : progressText(run.data, expectedRows)}
      </div>
      {state === 'pending' && (
        <p>
          {wasNotFetched
            ? 'Its address is over. Either the browser may not download from this page, or two exports ran already.'
            : 'If nothing comes, look whether the browser blocks downloads; no more than two exports run at once.'}
        </p>
      )}
      {run.error !== null && (
        <FailureState title="Its progress could not be read" error={run.error} onRetry={() => void run.refetch()} />
      )}
      {cancel.error !== null && <FailureState title="It could not be cancelled" error={cancel.error} />}
      {state === 'failed' && (
        <Alert severity="error" title="The export failed">
          Delete the file that is there, and start it again.
        </Alert>
      )}
      <Stack direction="row" gap={1}>
        {!isOver(state) && !wasNotFetched ? (
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
