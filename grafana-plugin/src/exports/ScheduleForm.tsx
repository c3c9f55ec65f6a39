/** Makes or changes a schedule in three steps: what, where, when. Says in words what will be before it is saved. */
import { Alert, Button, Drawer, Stack } from '@grafana/ui';
import { useState } from 'react';
import type { ExportSchedule, Me } from '../data/contract.ts';
import { useSaveSchedule, useTimingPreview } from '../data/useExportSchedules.ts';
import { useValueNames } from '../filters/value-names.ts';
import { visibleText } from '../format/visible-text.ts';
import { FailureState } from '../states/FailureState.tsx';
import {
  draftInWords,
  draftOf,
  missingIn,
  newDraft,
  scheduleBody,
  STEPS,
  timingBody,
  type Step,
} from './schedule-draft.ts';
import { WhatStep } from './WhatStep.tsx';
import { WhenStep } from './WhenStep.tsx';
import { WhereStep } from './WhereStep.tsx';

interface ScheduleFormProps {
  readonly me: Me;
  /** undefined: a new one */
  readonly schedule: ExportSchedule | undefined;
  readonly onClose: () => void;
}

export function ScheduleForm({ me, schedule, onClose }: ScheduleFormProps) {
  const names = useValueNames();
  const [draft, setDraft] = useState(() => (schedule === undefined ? newDraft(ownTimeZone()) : draftOf(schedule)));
  const [step, setStep] = useState<Step>(0);
  const save = useSaveSchedule();
  const missing = missingIn(step, draft);
  const preview = useTimingPreview(
    { timing: timingBody(draft.timing), timeZone: draft.timeZone },
    step === 2 && missing === undefined
  );
  const change = (part: Partial<typeof draft>) => setDraft((now) => ({ ...now, ...part }));
  const send = () => {
    const body = scheduleBody(draft);
    const changed = schedule === undefined ? {} : { id: schedule.id, version: schedule.version };
    save.mutate({ body, ...changed }, { onSuccess: onClose });
  };
  return (
    <Drawer
      size="md"
      title={schedule === undefined ? 'New schedule' : `Change ${visibleText(schedule.name)}`}
      subtitle={`Step ${step + 1} of ${STEPS.length}: ${STEPS[step]}`}
      onClose={onClose}
    >
      <Stack direction="column" gap={2}>
        {step === 0 && <WhatStep me={me} draft={draft} onChange={change} />}
        {step === 1 && <WhereStep draft={draft} scheduleId={schedule?.id} onChange={change} />}
        {step === 2 && <WhenStep draft={draft} isNew={schedule === undefined} preview={preview} onChange={change} />}
        {step === 2 && preview.data !== undefined && missing === undefined && (
          <Alert severity="info" title="What will be">
            <span data-testid="schedule-in-words">{visibleText(draftInWords(draft, preview.data.inWords, names))}</span>
          </Alert>
        )}
        {save.error !== null && <FailureState title="It could not be saved" error={save.error} />}
        {missing !== undefined && <p role="status">{missing}</p>}
        <Stack direction="row" gap={1}>
          {step > 0 && (
            <Button variant="secondary" onClick={() => setStep((step - 1) as Step)}>
              Back
            </Button>
          )}
          {step < 2 ? (
            <Button disabled={missing !== undefined} onClick={() => setStep((step + 1) as Step)}>
              Next: {STEPS[step + 1]}
            </Button>
          ) : (
            <Button
              icon="save"
              disabled={missing !== undefined || preview.data === undefined || save.isPending}
              onClick={send}
            >
              Save
            </Button>
          )}
        </Stack>
      </Stack>
    </Drawer>
  );
}

function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
