/**
 * Exports what the page shows: says in words what that is and how much, takes the form of the file, and lets the browser
 * fetch it. What may be exported is the audit API's to decide; what cannot be chosen says why.
 */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { config } from '@grafana/runtime';
import { Alert, Button, Drawer, Stack, useStyles2 } from '@grafana/ui';
import { useMemo, useState } from 'react';
import type { ExportTicket, Me } from '../data/contract.ts';
import { useAddDownload, useExportEstimate, type ExportRequest } from '../data/useExports.ts';
import type { ValueNames } from '../filters/value-names.ts';
import { formatFull } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { FailureState } from '../states/FailureState.tsx';
import { filterQuery, type CallFilters } from '../url/call-filters.ts';
import type { Instants } from '../url/time-range.ts';
import { estimateText, filterLines, fittingShape } from './export-words.ts';
import { ExportProgress } from './ExportProgress.tsx';
import { ExportShape, type Shape } from './ExportShape.tsx';
import { saveDownload } from './save-download.ts';

interface ExportDrawerProps {
  readonly me: Me;
  readonly instants: Instants;
  readonly filters: CallFilters;
  readonly names: ValueNames;
  readonly timeZone: string;
  readonly onClose: () => void;
}

const FIRST_SHAPE: Shape = { format: 'jsonl', compression: 'none', columns: undefined, payloads: false };

export function ExportDrawer({ me, instants, filters, names, timeZone, onClose }: ExportDrawerProps) {
  const styles = useStyles2(getStyles);
  const [shape, setShape] = useState(FIRST_SHAPE);
  const [ticket, setTicket] = useState<ExportTicket>();
  // what is exported is what was shown when the drawer opened, also while the page goes on
  const [range] = useState(instants);
  const [shown] = useState(filters);
  const request = useMemo<ExportRequest>(() => {
    const { columns, ...rest } = shape;
    return { ...range, filters: filterQuery(shown), ...rest, ...(columns === undefined ? {} : { columns }) };
  }, [range, shown, shape]);
  const estimate = useExportEstimate(request);
  const add = useAddDownload();
  const lines = filterLines(shown, names);
  const start = () =>
    add.mutate(request, {
      onSuccess: (made) => {
        setTicket(made);
        saveDownload(made.url, made.fileName, config.appSubUrl);
      },
    });
  return (
    <Drawer
      size="md"
      title="Export"
      subtitle="A file of the calls that fit this page’s filters and time range, oldest first. Each export is recorded."
      onClose={onClose}
    >
      <Stack direction="column" gap={2}>
        <section aria-label="What is exported" data-testid="export-what">
          <p>
            Calls from {formatFull(range.from, timeZone)} to {formatFull(range.to, timeZone)}
            {lines.length === 0 ? ', without a filter: all of them.' : ', where'}
          </p>
          {lines.length > 0 && (
            <ul className={styles.lines}>
              {lines.map((line) => (
                <li key={line}>{visibleText(line)}</li>
              ))}
            </ul>
          )}
        </section>
        <ExportShape
          me={me}
          shape={shape}
          disabled={ticket !== undefined}
          onChange={(next) => setShape(fittingShape(next))}
        />
        {estimate.error !== null ? (
          <FailureState
            title="It could not be estimated"
            error={estimate.error}
            onRetry={() => void estimate.refetch()}
          />
        ) : (
          <div role="status" data-testid="export-estimate">
            {estimate.data === undefined || estimate.isPlaceholderData ? 'Estimating …' : estimateText(estimate.data)}
          </div>
        )}
        {estimate.data !== undefined && estimate.data.warnings.length > 0 && (
          <Alert severity="info" title="Before you start">
            {estimate.data.warnings.join(' ')}
          </Alert>
        )}
        {add.error !== null && <FailureState title="The export could not be started" error={add.error} />}
        {ticket === undefined ? (
          <div>
            <Button icon="download-alt" disabled={add.isPending || estimate.data === undefined} onClick={start}>
              Download
            </Button>
          </div>
        ) : (
          <ExportProgress
            ticket={ticket}
            request={request}
            expectedRows={estimate.data?.rows}
            onAgain={() => {
              add.reset();
              setTicket(undefined);
            }}
          />
        )}
      </Stack>
    </Drawer>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  lines: css({ paddingLeft: theme.spacing(2) }),
});
