/** Schedules, one line each. The name opens what became of its runs. */
import { cx } from '@emotion/css';
import { Button, Icon, useStyles2 } from '@grafana/ui';
import type { ExportSchedule } from '../data/contract.ts';
import { useValueNames } from '../filters/value-names.ts';
import { formatMinute } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { getCellStyles } from '../table/cell-styles.ts';
import { TableFrame } from '../table/TableFrame.tsx';
import { amountText, destinationText, RUN_WORDS, SCHEDULE_WORDS, scheduleWhat } from './export-words.ts';

interface ScheduleTableProps {
  readonly schedules: readonly ExportSchedule[];
  readonly timeZone: string;
  readonly onOpen: (id: string) => void;
}

export function ScheduleTable({ schedules, timeZone, onOpen }: ScheduleTableProps) {
  return (
    <TableFrame label="Scheduled exports, by name" testId="schedule-table" isWrapped>
      <thead>
        <tr>
          <th>Name</th>
          <th>What</th>
          <th>Payloads</th>
          <th>Where to</th>
          <th>When</th>
          <th>State</th>
          <th>Last run</th>
          <th>Next run</th>
        </tr>
      </thead>
      <tbody>
        {schedules.map((schedule) => (
          <ScheduleRow key={schedule.id} schedule={schedule} timeZone={timeZone} onOpen={onOpen} />
        ))}
      </tbody>
    </TableFrame>
  );
}

interface ScheduleRowProps {
  readonly schedule: ExportSchedule;
  readonly timeZone: string;
  readonly onOpen: (id: string) => void;
}

function ScheduleRow({ schedule, timeZone, onOpen }: ScheduleRowProps) {
  const styles = useStyles2(getCellStyles);
  const names = useValueNames();
  const { lastRun, nextRunAt, state, stateReason } = schedule;
  const isBad = state === 'stopped' || state === 'retrying' || state === 'held';
  return (
    <tr>
      <td>
        <Button size="sm" variant="primary" fill="text" onClick={() => onOpen(schedule.id)}>
          {visibleText(schedule.name)}
        </Button>
      </td>
      <td>{visibleText(scheduleWhat(schedule, names))}</td>
      <td>{schedule.payloads ? 'yes' : 'no'}</td>
      <td>{visibleText(destinationText(schedule.destination))}</td>
      <td>{schedule.timingInWords}</td>
      <td className={cx(isBad && styles.bad)} title={stateReason ?? undefined}>
        {isBad && <Icon name="exclamation-triangle" size="sm" />} {SCHEDULE_WORDS[state]}
      </td>
      <td>
        {lastRun === null ? (
          <span className={styles.quiet}>none yet</span>
        ) : (
          `${RUN_WORDS[lastRun.state]}: ${amountText(lastRun)}`
        )}
      </td>
      <td>{nextRunAt === null ? '–' : formatMinute(nextRunAt, timeZone)}</td>
    </tr>
  );
}
