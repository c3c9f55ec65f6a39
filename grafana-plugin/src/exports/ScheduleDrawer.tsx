/** One schedule: how it stands and why, what can be done about it by this reader, and what became of its runs. */
import { Alert, Button, ConfirmModal, Drawer, Stack } from '@grafana/ui';
import { useState } from 'react';
import type { ExportSchedule } from '../data/contract.ts';
import { useReleaseSchedule, useRemoveSchedule, useScheduleAction } from '../data/useExportSchedules.ts';
import { useValueNames } from '../filters/value-names.ts';
import { userName } from '../format/people.ts';
import { formatMinute } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { FailureState } from '../states/FailureState.tsx';
import { capitalized, destinationText, SCHEDULE_WORDS, scheduleWhat } from './export-words.ts';
import { RunHistory } from './RunHistory.tsx';

interface ScheduleDrawerProps {
  readonly schedule: ExportSchedule;
  readonly timeZone: string;
  readonly onChange: () => void;
  readonly onClose: () => void;
}

const AUDITORS_ONLY = 'It exports payloads: only an Auditor changes it, lets it go on or removes it.';
const NOT_YOURS = 'Only admins and Auditors do this.';

export function ScheduleDrawer({ schedule, timeZone, onChange, onClose }: ScheduleDrawerProps) {
  const names = useValueNames();
  const act = useScheduleAction();
  const remove = useRemoveSchedule();
  const release = useReleaseSchedule();
  const [isRemoving, setRemoving] = useState(false);
  const { id, state, stateReason, heldBy, payloads, owner, mayChange, mayPause } = schedule;
  const whyNot = mayChange ? undefined : payloads ? AUDITORS_ONLY : NOT_YOURS;
  const isPaused = state === 'paused';
  const isBusy = act.isPending || remove.isPending;
  return (
    <Drawer
      size="lg"
      title={visibleText(schedule.name)}
      subtitle={visibleText(`${scheduleWhat(schedule, names)} to ${destinationText(schedule.destination)}`)}
      onClose={onClose}
    >
      <Stack direction="column" gap={2}>
        <p data-testid="schedule-facts">
          {capitalized(schedule.timingInWords)}; {payloads ? 'with payloads' : 'metadata only'}
          {schedule.recipients.length > 0 && ', encrypted with age'}; under the rights of{' '}
          {visibleText(owner.user === null ? owner.name : userName(owner.user))}. Everything before{' '}
          {formatMinute(schedule.closedTo, timeZone)} is exported or in a run that waits.
        </p>
        {stateReason !== null && (
          <Alert severity={isPaused ? 'info' : 'warning'} title={`It is ${SCHEDULE_WORDS[state]}`}>
            {stateReason}
          </Alert>
        )}
        {state === 'held' && mayChange && (
          <div>
            <Button
              variant="secondary"
              disabled={release.isPending}
              tooltip="Should it come back, its rows go into a supplement"
              onClick={() => release.mutate({ id, gateways: heldBy })}
            >
              Go on without {visibleText(heldBy.join(', '))}
            </Button>
          </div>
        )}
        {release.error !== null && <FailureState title="It could not be done" error={release.error} />}
        <Stack direction="row" gap={1} wrap="wrap">
          <Button
            variant="secondary"
            icon="play"
            disabled={isBusy || isPaused || !mayChange}
            tooltip={whyNot ?? (isPaused ? 'Resume it first.' : 'Does what is due, without waiting')}
            onClick={() => act.mutate({ id, action: 'run' })}
          >
            Run now
          </Button>
          {isPaused ? (
            <Button
              variant="secondary"
              icon="sync"
              disabled={isBusy || !mayChange}
              {...(whyNot === undefined ? {} : { tooltip: whyNot })}
              onClick={() => act.mutate({ id, action: 'resume' })}
            >
              Resume
            </Button>
          ) : (
            <Button
              variant="secondary"
              icon="pause"
              disabled={isBusy || !mayPause}
              tooltip={mayPause ? 'What happens meanwhile is exported once it goes on' : NOT_YOURS}
              onClick={() => act.mutate({ id, action: 'pause' })}
            >
              Pause
            </Button>
          )}
          <Button
            variant="secondary"
            icon="pen"
            disabled={isBusy || !mayChange}
            {...(whyNot === undefined ? {} : { tooltip: whyNot })}
            onClick={onChange}
          >
            Change
          </Button>
          <Button
            variant="destructive"
            fill="outline"
            icon="trash-alt"
            disabled={isBusy || !mayChange}
            {...(whyNot === undefined ? {} : { tooltip: whyNot })}
            onClick={() => setRemoving(true)}
          >
            Delete
          </Button>
        </Stack>
        {act.error !== null && <FailureState title="It could not be done" error={act.error} />}
        {remove.error !== null && <FailureState title="It could not be deleted" error={remove.error} />}
        <RunHistory scheduleId={id} timeZone={timeZone} />
      </Stack>
      <ConfirmModal
        isOpen={isRemoving}
        title="Delete this schedule?"
        body="Nothing is exported any more. Files that are there stay, and so does the history."
        confirmText="Delete"
        onConfirm={() => {
          setRemoving(false);
          remove.mutate(id, { onSuccess: onClose });
        }}
        onDismiss={() => setRemoving(false)}
      />
    </Drawer>
  );
}
