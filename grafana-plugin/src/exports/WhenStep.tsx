/** Third step of a schedule: its times, in words and as the next five, and how far back the first one goes. */
import { Field, Input } from '@grafana/ui';
import type { useTimingPreview } from '../data/useExportSchedules.ts';
import { formatMinute } from '../format/times.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Choice } from './Choice.tsx';
import { BACK, type ScheduleDraft, type TimingDraft } from './schedule-draft.ts';

interface WhenStepProps {
  readonly draft: ScheduleDraft;
  readonly isNew: boolean;
  readonly preview: ReturnType<typeof useTimingPreview>;
  readonly onChange: (part: Partial<ScheduleDraft>) => void;
}

const EVERY: { readonly value: TimingDraft['every']; readonly label: string }[] = [
  { value: 'hour', label: 'Hour' },
  { value: 'day', label: 'Day' },
  { value: 'week', label: 'Week' },
  { value: 'month', label: 'Month' },
  { value: 'cron', label: 'Cron' },
];
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].map((label, index) => ({ value: index + 1, label }));
const LAST_DAY = 28;

export function WhenStep({ draft, isNew, preview, onChange }: WhenStepProps) {
  const { timing } = draft;
  const change = (part: Partial<TimingDraft>) => onChange({ timing: { ...timing, ...part } });
  const hasClock = timing.every === 'day' || timing.every === 'week' || timing.every === 'month';
  return (
    <>
      <Choice label="Every" options={EVERY} value={timing.every} onChange={(every) => change({ every })} />
      {timing.every === 'week' && (
        <Choice
          label="Day of the week"
          options={WEEKDAYS}
          value={timing.weekday}
          onChange={(weekday) => change({ weekday })}
        />
      )}
      {timing.every === 'month' && (
        <Field label="Day of the month" description="1 to 28, which every month has." noMargin>
          <Input
            id="timing-day"
            type="number"
            width={12}
            min={1}
            max={LAST_DAY}
            value={timing.day}
            onChange={(event) => change({ day: Math.min(Math.max(Number(event.currentTarget.value), 1), LAST_DAY) })}
          />
        </Field>
      )}
      {hasClock && (
        <Field label="At" noMargin>
          <Input
            id="timing-at"
            type="time"
            width={16}
            value={timing.at}
            onChange={(event) => change({ at: event.currentTarget.value })}
          />
        </Field>
      )}
      {timing.every === 'cron' && (
        <Field label="Cron" description="Five fields: minute, hour, day, month, weekday." noMargin>
          <Input
            id="timing-cron"
            width={30}
            value={timing.cron}
            onChange={(event) => change({ cron: event.currentTarget.value })}
          />
        </Field>
      )}
      <Field label="Time zone" description="As IANA names it, e.g. Europe/Berlin." noMargin>
        <Input
          id="timing-zone"
          width={30}
          value={draft.timeZone}
          onChange={(event) => onChange({ timeZone: event.currentTarget.value })}
        />
      </Field>
      {isNew && (
        <Choice
          label="The first run goes back"
          options={BACK}
          value={draft.startFrom}
          onChange={(startFrom) => onChange({ startFrom })}
        />
      )}
      {preview.error !== null ? (
        <FailureState title="There are no such times" error={preview.error} />
      ) : (
        preview.data !== undefined && (
          <p role="status" data-testid="next-times">
            Next: {preview.data.next.map((at) => formatMinute(at, draft.timeZone)).join(' · ')}
          </p>
        )
      )}
    </>
  );
}
