/** How a schedule is made, in words and as a command. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { CopyCommand } from './CopyCommand.tsx';

/** with a destination that the configuration names, so that no secret is in a shell's history */
const COMMAND = `curl -sf -X POST -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' http://127.0.0.1:8081/api/v1/exports/schedules -d '{"name":"Every night","format":"jsonl","compression":"gzip","timing":{"every":"day","at":"02:00"},"timeZone":"UTC","destination":{"type":"configured","name":"archive"}}'`;

export function HowToSchedule() {
  const styles = useStyles2(getStyles);
  return (
    <section className={styles.how} aria-label="How to schedule an export">
      <p>
        An admin or an Auditor makes one with “New schedule”, or by the audit API (docs/exports.md) for a destination
        that <code>exports.destinations</code> of the configuration names. With payloads: an Auditor, under whose rights
        it runs.
      </p>
      <CopyCommand command={COMMAND} what="the command that makes a schedule" />
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  how: css({ maxWidth: theme.spacing(100), margin: theme.spacing(2, 0), color: theme.colors.text.secondary }),
});
