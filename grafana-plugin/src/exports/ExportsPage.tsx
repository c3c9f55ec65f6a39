/** Exports: those at set times, how each stands and what became of its runs; below, those that somebody made at once. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import { Alert, Button, EmptyState, useStyles2 } from '@grafana/ui';
import { useState } from 'react';
import { useMe } from '../data/useMe.ts';
import { useExportSchedules } from '../data/useExportSchedules.ts';
import type { ExportSchedule } from '../data/contract.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { setParam, useSearch } from '../url/useSearch.ts';
import { HowToSchedule } from './HowToSchedule.tsx';
import { RunHistory } from './RunHistory.tsx';
import { ScheduleDrawer } from './ScheduleDrawer.tsx';
import { ScheduleForm } from './ScheduleForm.tsx';
import { ScheduleTable } from './ScheduleTable.tsx';

export default function ExportsPage() {
  const styles = useStyles2(getStyles);
  const me = useMe();
  const schedules = useExportSchedules();
  const [search, change] = useSearch();
  const openId = search.get('schedule');
  const timeZone = search.get('timezone') ?? 'browser';
  const items = schedules.data?.items;
  const open = items?.find(({ id }) => id === openId);
  const [form, setForm] = useState<'new' | ExportSchedule>();
  const show = (id: string | undefined) => change(setParam('schedule', id));
  return (
    <PluginPage
      subTitle="Calls as files: at set times, and once by Export on Audit Logs."
      actions={
        <>
          {items !== undefined && (
            <Button variant="secondary" icon="plus" disabled={me.data === undefined} onClick={() => setForm('new')}>
              New schedule
            </Button>
          )}
          <Button
            variant="secondary"
            icon="sync"
            tooltip="Refresh"
            aria-label="Refresh"
            disabled={schedules.isFetching}
            onClick={() => void schedules.refetch()}
          />
        </>
      }
    >
      {schedules.error !== null ? (
        <FailureState
          title="The schedules could not be read"
          error={schedules.error}
          onRetry={() => void schedules.refetch()}
        />
      ) : items === undefined ? (
        <Skeleton lines={8} />
      ) : items.length === 0 ? (
        <EmptyState variant="call-to-action" message="No export is scheduled">
          <HowToSchedule />
        </EmptyState>
      ) : (
        <ScheduleTable schedules={items} timeZone={timeZone} onOpen={show} />
      )}
      {items !== undefined && (
        <section aria-label="One-off exports" className={styles.oneOff}>
          <h4>One-off exports</h4>
          <RunHistory scheduleId={undefined} timeZone={timeZone} />
        </section>
      )}
      {openId !== null && items !== undefined && open === undefined && (
        <Alert severity="warning" title="This schedule is not there" onRemove={() => show(undefined)}>
          It was removed, or the address is wrong. Its files stay where they are.
        </Alert>
      )}
      {open !== undefined && form === undefined && (
        <ScheduleDrawer
          key={open.id}
          schedule={open}
          timeZone={timeZone}
          onChange={() => setForm(open)}
          onClose={() => show(undefined)}
        />
      )}
      {form !== undefined && me.data !== undefined && (
        <ScheduleForm me={me.data} schedule={form === 'new' ? undefined : form} onClose={() => setForm(undefined)} />
      )}
    </PluginPage>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  oneOff: css({ marginTop: theme.spacing(3) }),
});
