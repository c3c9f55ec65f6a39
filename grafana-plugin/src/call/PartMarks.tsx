/** What a reader must know before reading: that the opening is on record, what was cut, what was redacted. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Badge, useStyles2 } from '@grafana/ui';
import type { PayloadPart } from '../data/contract.ts';
import { formatBytes, plural } from '../format/numbers.ts';
import { hasActingCharacters } from '../format/visible-text.ts';

/** of a body that is looked through for characters that act */
const LOOKED_THROUGH_CHARS = 262_144;

export function PartMarks({ part }: { readonly part: PayloadPart }) {
  const styles = useStyles2(getStyles);
  const { bytes, truncated, bodyText = '', bodyBase64, digest } = part;
  // those of headers are marked among the headers
  const redacted = part.redacted?.filter((path) => !path.startsWith('header:')) ?? [];
  return (
    <div className={styles.marks}>
      <Badge text="Opening recorded" color="blue" icon="eye" tooltip="This opening is in the access log." />
      {bytes !== undefined && <span>{formatBytes(bytes)}</span>}
      {truncated === true && (
        <Badge
          text={`Cut: ${formatBytes(bodyText.length)} of ${formatBytes(bytes ?? 0)} kept`}
          color="orange"
          icon="minus-circle"
          tooltip="The capture cap was reached. What is kept is a valid beginning."
        />
      )}
      {redacted.length > 0 && (
        <Badge
          text={`${plural(redacted.length, 'value')} redacted`}
          color="orange"
          icon="eye-slash"
          tooltip={redacted.slice(0, 12).join('\n')}
        />
      )}
      {bodyBase64 !== undefined && <Badge text="not valid UTF-8: shown as bytes" color="orange" />}
      {hasActingCharacters(bodyText.slice(0, LOOKED_THROUGH_CHARS)) && (
        <Badge
          text="invisible characters made visible"
          color="purple"
          icon="eye"
          tooltip="Control codes, direction marks or zero-width characters are in here; they are shown as signs."
        />
      )}
      {digest !== undefined && <code className={styles.digest}>HMAC {digest.slice(0, 12)}…</code>}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  marks: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(1) }),
  digest: css({ color: theme.colors.text.secondary }),
});
